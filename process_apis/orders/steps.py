"""The steps of an order: each is one call on one platform under one key, or a decision that is remembered."""

from collections.abc import Awaitable, Callable

from contracts.models.order import SalesOrder
from contracts.models.sales import References
from contracts.models.subscription import NewSubscription, Subscription
from contracts.models.validation import QuoteValidation, Verdict
from contracts.ports.process import QuoteProcess
from contracts.ports.system import Systems
from kernel.clock import Clock
from kernel.problem import Refused
from master_data.book import MasterData
from process_apis.orders.enrichment import plan as make_plan
from process_apis.orders.records import CancellationRequest, OrderPlan, OrderRequest
from process_apis.quotes.dossier import Dossier


class CouldNotCheck(Refused):
    """Some checks could not be made: a person decides when to try again."""

    slug, title = "could-not-check", "Some checks could not be made"


class OrderSteps:
    """Binds each step to what it is about; the run calls what it gets with the step's idempotency key."""

    def __init__(self, systems: Systems, book: MasterData, quotes: QuoteProcess, clock: Clock) -> None:
        self._systems, self._book, self._quotes, self._clock = systems, book, quotes, clock

    def validate(self, request: OrderRequest) -> Callable[[str], Awaitable[QuoteValidation]]:
        async def step(_: str) -> QuoteValidation:
            answer = await self._quotes.validate_quote(request.order.quote)
            if answer.verdict is Verdict.COULD_NOT_CHECK:
                raise could_not_check(answer, request.key)
            return answer

        return step

    def refusal(self, validation: QuoteValidation) -> Refused:
        return refusal(validation)

    def enrich(self, request: OrderRequest) -> Callable[[str], Awaitable[OrderPlan]]:
        async def step(_: str) -> OrderPlan:
            dossier = Dossier(self._systems, self._book, request.order.quote, self._clock.now().date())
            try:
                attributes = await self._book.ownership.attributes(await dossier.customer_key())
                days = next((a.value for a in attributes if a.name == "payment_days"), None)
                return await make_plan(request, dossier, None if days is None else int(days))
            finally:
                await dossier.close()

        return step

    def create_sales_order(self, plan: OrderPlan) -> Callable[[str], Awaitable[SalesOrder]]:
        return lambda key: self._systems.erp(plan.erp).create_sales_order(plan.sales_order, key)

    def cancel_sales_order(self, plan: OrderPlan) -> Callable[[SalesOrder, str], Awaitable[object]]:
        return lambda order, _: self._systems.erp(plan.erp).cancel_sales_order(order.reference.id)

    def create_subscription(self, plan: OrderPlan, new: NewSubscription) -> Callable[[str], Awaitable[Subscription]]:
        return lambda key: self._systems.billing(plan.billing).create_subscription(new, key)

    def cancel_subscription(self, plan: OrderPlan) -> Callable[[Subscription, str], Awaitable[object]]:
        return lambda subscription, _: self._systems.billing(plan.billing).cancel_subscription(subscription.reference.id)

    def write_back(
        self, plan: OrderPlan, key: str, sales_order: SalesOrder, subscription: Subscription | None
    ) -> Callable[[str], Awaitable[object]]:
        references = References(
            order_key=key,
            erp_customer_id=plan.erp_customer.id,
            erp_order_number=sales_order.number,
            billing_customer_id=plan.billing_customer.id,
            billing_subscription_id=subscription.reference.id if subscription else None,
        )
        crm = self._systems.crm(plan.quote.connection)
        return lambda _: crm.write_quote_references(plan.quote.id, references)

    def end_subscription(self, request: CancellationRequest, id: str) -> Callable[[str], Awaitable[Subscription]]:
        return lambda _: self._systems.billing(request.billing).cancel_subscription(id)

    def close_sales_order(self, request: CancellationRequest) -> Callable[[str], Awaitable[SalesOrder]]:
        return lambda _: self._systems.erp(request.erp).cancel_sales_order(request.sales_order_id)


def refusal(validation: QuoteValidation) -> Refused:
    """The checks that are not ok, as one problem: the first finding in its head, all of them in `checks`."""
    failed = [check for check in validation.checks if check.verdict is Verdict.NOT_OK]
    first = failed[0].findings[0]
    return Refused(
        f"the quote cannot become an order: {first.reason}",
        field=first.field,
        system=failed[0].system,
        fix=first.fix,
        checks=[check.model_dump(mode="json") for check in failed],
    )


def could_not_check(validation: QuoteValidation, order: str) -> CouldNotCheck:
    """The checks that could not be made; the run that raises it is held until a person has it checked again."""
    open_ = [check for check in validation.checks if check.verdict is Verdict.COULD_NOT_CHECK]
    names = ", ".join(check.name for check in open_)
    return CouldNotCheck(
        f"could not check {names}",
        system=open_[0].system,
        fix=f"release the order once the system answers again: POST /process/orders/v1/orders/{order}/releases",
        checks=[check.model_dump(mode="json") for check in open_],
    )
