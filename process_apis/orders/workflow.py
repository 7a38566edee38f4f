"""The story of an order, and the story of taking a finished one back."""

from contracts.models.order import SalesOrder
from contracts.models.subscription import Subscription
from contracts.models.validation import QuoteValidation, Verdict
from kernel.durable.port import Run, RunState, Stop
from process_apis.orders.records import CancellationRequest, Cancelled, OrderPlan, OrderRequest, Placed
from process_apis.orders.steps import OrderSteps


class OrderWorkflow:
    """Validated quote → enriched plan → ERP sales order → billing subscription → references back to the CRM."""

    def __init__(self, steps: OrderSteps) -> None:
        self._steps = steps

    async def __call__(self, run: Run, request: OrderRequest) -> Placed:
        steps = self._steps
        if request.validation.verdict is not Verdict.OK:
            await run.note(checks=_checks(request.validation))
            again = await run.step("validate quote", steps.validate(request), QuoteValidation)
            await run.note(checks=_checks(again))
            if again.verdict is Verdict.NOT_OK:
                raise Stop(RunState.REFUSED, steps.refusal(again).detail)
        plan = await run.step("enrich order", steps.enrich(request), OrderPlan)
        await run.note(plan=_shown(plan))
        sales_order = await run.step(
            "create sales order in ERP", steps.create_sales_order(plan), SalesOrder, undo=steps.cancel_sales_order(plan)
        )
        await run.note(sales_order=sales_order.reference.model_dump(), sales_order_number=sales_order.number)
        subscription: Subscription | None = None
        if plan.subscription is not None:
            create = steps.create_subscription(plan, plan.subscription)
            undo = steps.cancel_subscription(plan)
            subscription = await run.step("create subscription in billing", create, Subscription, undo=undo)
            await run.note(subscription=subscription.reference.model_dump())
        await run.do("write references to CRM", steps.write_back(plan, request.key, sales_order, subscription))
        return Placed(sales_order=sales_order, subscription=subscription)


class CancellationWorkflow:
    """Ends what billing charges first, so that nobody is charged for what will not be delivered; then closes the sales order."""

    def __init__(self, steps: OrderSteps) -> None:
        self._steps = steps

    async def __call__(self, run: Run, request: CancellationRequest) -> Cancelled:
        subscription: Subscription | None = None
        if request.subscription_id is not None:
            cancel = self._steps.end_subscription(request, request.subscription_id)
            subscription = await run.step("cancel subscription in billing", cancel, Subscription)
        sales_order = await run.step("cancel sales order in ERP", self._steps.close_sales_order(request), SalesOrder)
        return Cancelled(sales_order=sales_order, subscription=subscription)


def _checks(validation: QuoteValidation) -> list[dict[str, object]]:
    return [check.model_dump(mode="json") for check in validation.checks]


def _shown(plan: OrderPlan) -> dict[str, object]:
    """What the order shows of its plan."""
    names = {
        "legal_entity", "customer_key", "crm_account", "opportunity", "quote", "erp_customer", "billing_customer", "total",
        "erp", "billing",
    }  # fmt: skip
    return plan.model_dump(mode="json", include=names)
