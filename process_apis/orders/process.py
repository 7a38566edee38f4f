"""Orders as their callers see them: the quote is validated at once, the rest is durable work under the order's key."""

import asyncio
from dataclasses import replace
from datetime import timedelta

from contracts.models.intake import NewOrder, Order, Orders, OrderState
from contracts.models.operation import Operation, Reason
from contracts.models.validation import Verdict
from contracts.ports.process import QuoteProcess
from kernel.clock import Clock
from kernel.context import caller
from kernel.durable.port import Durable, RunRecord, RunState, Start
from kernel.problem import Conflict
from process_apis.operations import account_of, existing, no_such, operation, start_of, visible
from process_apis.orders.records import CANCELLATION, PROCESS, CancellationRequest, OrderRequest
from process_apis.orders.resource import API, RUN_STATES, order
from process_apis.orders.steps import refusal

ENDED_WITHOUT_ORDER = frozenset({RunState.CANCELLED, RunState.FAILED, RunState.REFUSED})
TARGET = timedelta(minutes=15)  # an order that is older and not finished is in jeopardy


class OrderDesk:
    """Implements the port `OrderProcess`. `answer_within`: seconds a caller waits before the work goes on without it."""

    def __init__(self, durable: Durable, quotes: QuoteProcess, clock: Clock, answer_within: float) -> None:
        self._durable, self._quotes, self._clock, self._answer_within = durable, quotes, clock, answer_within

    async def submit_order(self, request: NewOrder, idempotency_key: str) -> Order:
        """One order per quote: whoever submits it again is shown the one that is there.

        Raises Refused with the failing checks while any is not ok: nothing is begun then, and the same key may be used again.
        """
        start = start_of(request, idempotency_key, {"quote": account_of(request.quote)})
        record = await self._durable.replayed(start)
        if record is None:
            key, there = await self._key(request)
            if there is not None:
                self._refuse_hidden(there, request)
                record = await self._durable.join(there.id, start)
        if record is None:
            record = await self._begin(request, key, start)
        self._refuse_hidden(record, request)
        return await self._answer(record)

    async def _begin(self, request: NewOrder, key: str, start: Start) -> RunRecord:
        validation = await self._quotes.validate_quote(request.quote)
        if validation.verdict is Verdict.NOT_OK:
            raise refusal(validation)
        wanted = OrderRequest(order=request, key=key, validation=validation)
        about = {"quote_number": validation.quote_number, "customer": validation.customer_key}
        about["account"] = account_of(validation.account) if validation.account else None
        known = {name: said for name, said in about.items() if said}
        return await self._durable.start(PROCESS, key, wanted, replace(start, subject={**start.subject, **known}))

    def _refuse_hidden(self, record: RunRecord, request: NewOrder) -> None:
        if not visible(record):
            raise no_such("quote", request.quote)

    async def get_order(self, order_id: str) -> Order:
        return await self._shown(await existing(self._durable, PROCESS, order_id))

    async def list_orders(
        self, state: OrderState | None = None, customer_key: str | None = None, cursor: str | None = None, limit: int = 50
    ) -> Orders:
        """A page may be shorter than `limit`. A finished order that was taken back is listed only where no state is asked for."""
        if state is not None and state not in RUN_STATES:
            return Orders(items=[])
        found = await self._durable.search(
            process=PROCESS,
            state=RUN_STATES[state] if state else None,
            subject={"customer": customer_key} if customer_key else None,
            among=None if (mine := caller.get().accounts) is None else {"account": mine},
            before=f"{PROCESS}:{cursor}" if cursor else None,
            limit=limit + 1,
        )
        page = found[:limit]
        more = page[-1].key if len(found) > limit else None
        shown = await asyncio.gather(*(self._shown(record) for record in page))
        return Orders(items=[order for order in shown if state in (None, order.state)], next=more)

    async def release_order(self, order_id: str, reason: Reason, idempotency_key: str) -> Order:
        """Also releases what is held while a finished order is taken back."""
        record = await existing(self._durable, PROCESS, order_id)
        taken_back = await self._taken_back(record)
        held = record if taken_back is None else taken_back
        await self._durable.release(held.id, f"{caller.get().client}: {reason.reason}")
        await self._durable.wait(held.id, self._answer_within)
        return await self.get_order(order_id)

    async def cancel_order(self, order_id: str, reason: Reason, idempotency_key: str) -> Order:
        """What is under way is undone; what is finished is taken back by a run of its own, which is begun once."""
        record = await existing(self._durable, PROCESS, order_id)
        match record.state:
            case RunState.COMPLETED:
                cancellation = await self._taken_back(record)
                if cancellation is None:
                    start = start_of(reason, idempotency_key, dict(record.subject))
                    cancellation = await self._durable.start(CANCELLATION, order_id, _cancellation(record, reason), start)
                await self._durable.wait(cancellation.id, self._answer_within)
            case RunState.CANCELLED:
                pass
            case RunState.FAILED | RunState.REFUSED:
                raise Conflict(
                    f"the order {order_id} has ended without effect", field="order_id", fix="there is nothing to cancel"
                )
            case _:
                await self._durable.cancel(record.id, caller.get().client, reason.reason)
                await self._durable.wait(record.id, self._answer_within)
        return await self.get_order(order_id)

    async def get_order_operation(self, operation_id: str) -> Operation:
        return operation(await existing(self._durable, PROCESS, operation_id), API, "orders")

    async def _answer(self, record: RunRecord) -> Order:
        return await self._shown(await self._durable.wait(record.id, self._answer_within))

    async def _shown(self, record: RunRecord) -> Order:
        return order(record, await self._taken_back(record), jeopardy=self._clock.now() - record.created_at > TARGET)

    async def _taken_back(self, record: RunRecord) -> RunRecord | None:
        """The run that cancels a finished order, if there is one."""
        if record.state is not RunState.COMPLETED:
            return None
        return await self._durable.get(f"{CANCELLATION}:{record.key}")

    async def _key(self, request: NewOrder) -> tuple[str, RunRecord | None]:
        """The order's key, and the order that stands under it; a quote whose order ended without effect gets the next key."""
        number, base = 1, f"{request.quote.connection}-{request.quote.id}"
        key = base
        while (earlier := await self._durable.get(f"{PROCESS}:{key}")) is not None:
            taken_back = await self._taken_back(earlier)
            if earlier.state not in ENDED_WITHOUT_ORDER and (taken_back is None or taken_back.state is not RunState.COMPLETED):
                return key, earlier
            number, key = number + 1, f"{base}.{number + 1}"
        return key, None


def _cancellation(record: RunRecord, reason: Reason) -> CancellationRequest:
    plan, facts = record.facts["plan"], record.facts
    connection, _, quote_id = record.subject["quote"].partition("/")
    return CancellationRequest.model_validate(
        {
            "order_key": record.key,
            "quote": {"connection": connection, "id": quote_id},
            "erp": plan["erp"],
            "sales_order_id": facts["sales_order"]["id"],
            "billing": plan["billing"],
            "subscription_id": facts["subscription"]["id"] if facts.get("subscription") else None,
            "reason": reason.reason[:64],
        }
    )
