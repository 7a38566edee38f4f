"""Orders v1: submit a quote, follow the order, release what is held, cancel."""

from typing import Annotated
from urllib.parse import urlencode

from fastapi import Path, Query, Response

from contracts.models.intake import NewOrder, Order, Orders, OrderState
from contracts.models.operation import Operation, Reason
from contracts.ports.process import OrderProcess
from kernel.api import Api, IdempotencyKey
from kernel.calls import billing, crm, erp
from kernel.problem import NotFound
from kernel.tenancy import FILTERED
from process_apis.quotes.v1 import CHECKS

OrderId = Annotated[str, Path(min_length=1, max_length=160, pattern=r"^[A-Za-z0-9][A-Za-z0-9._:-]*$")]
Cursor = Annotated[str | None, Query(max_length=160, pattern=r"^[A-Za-z0-9][A-Za-z0-9._:-]*$")]
ENDED = frozenset({OrderState.COMPLETED, OrderState.CANCELLED, OrderState.FAILED, OrderState.REJECTED})
ALSO = {202: "It goes on, or waits for a person; follow `operation`"}
FOLLOW = {"get_order": "order_id", "get_order_operation": "operation_id"}

TAKEN_BACK = (*erp("cancel_sales_order"), *billing("cancel_subscription"))
SUBMISSION = (
    *CHECKS, *TAKEN_BACK, *crm("write_quote_references"), *erp("create_sales_order"), *billing("create_subscription"),
)  # fmt: skip


def orders_api(orders: OrderProcess) -> Api:
    api = Api(
        "process", "orders", "1.0.0", "Orders", "From an approved quote to a sales order and a subscription.", "quote-to-cash",
        {"orders:write": "Submit, release and cancel orders", "orders:read": "Follow orders"}, audience="partner",
    )  # fmt: skip

    @api.post(
        "/orders",
        scope="orders:write",
        status=201,
        also=ALSO,
        problems=(NotFound,),
        headers=("Location",),
        links=FOLLOW,
        tenancy=FILTERED,
        calls=SUBMISSION,
    )
    async def submit_order(request: NewOrder, idempotency_key: IdempotencyKey, response: Response) -> Order:
        """Validates the approved quote, then creates the sales order and the subscription and writes their references to the CRM.

        While any check is not ok the order is refused (422, with the checks). While any could not be made the order is held for
        a person. A quote has one order: submitting it again answers that one.
        """
        order = await orders.submit_order(request, idempotency_key)
        _say_where(order, response, ended=201)
        return order

    @api.get("/orders", scope="orders:read", headers=("Link",), tenancy=FILTERED)
    async def list_orders(
        response: Response,
        state: OrderState | None = None,
        customer_key: Annotated[str | None, Query(max_length=160)] = None,
        cursor: Cursor = None,
        limit: Annotated[int, Query(ge=1, le=200)] = 50,
    ) -> Orders:
        """Orders, newest first, a page at a time."""
        page = await orders.list_orders(state, customer_key, cursor, limit)
        if page.next:
            asked = {"state": state and state.value, "customer_key": customer_key, "cursor": page.next, "limit": limit}
            query = urlencode({name: said for name, said in asked.items() if said is not None})
            response.headers["Link"] = f'</process/orders/v1/orders?{query}>; rel="next"'
        return page

    @api.get("/orders/{order_id}", scope="orders:read", tenancy=FILTERED)
    async def get_order(order_id: OrderId) -> Order:
        """Where the order stands, and what it is called in every system."""
        return await orders.get_order(order_id)

    @api.post(
        "/orders/{order_id}/releases", scope="orders:write", also=ALSO, headers=("Location",), links=FOLLOW, tenancy=FILTERED,
        calls=SUBMISSION,
    )  # fmt: skip
    async def release_order(order_id: OrderId, reason: Reason, idempotency_key: IdempotencyKey, response: Response) -> Order:
        """Attempts the step that holds the order again, once its problem is put right."""
        order = await orders.release_order(order_id, reason, idempotency_key)
        _say_where(order, response, ended=200)
        return order

    @api.post(
        "/orders/{order_id}/cancellations", scope="orders:write", also=ALSO, headers=("Location",), links=FOLLOW,
        tenancy=FILTERED, calls=TAKEN_BACK,
    )  # fmt: skip
    async def cancel_order(order_id: OrderId, reason: Reason, idempotency_key: IdempotencyKey, response: Response) -> Order:
        """Cancels the order: the subscription is ended and the sales order closed. Cancelling again changes nothing."""
        order = await orders.cancel_order(order_id, reason, idempotency_key)
        _say_where(order, response, ended=200)
        return order

    @api.get("/operations/{operation_id}", scope="orders:read", tenancy=FILTERED)
    async def get_order_operation(operation_id: OrderId) -> Operation:
        """The work behind an order, step by step, with attempts and problems."""
        return await orders.get_order_operation(operation_id)

    return api


def _say_where(order: Order, response: Response, ended: int) -> None:
    going_on = order.state not in ENDED
    response.status_code = 202 if going_on else ended
    response.headers["Location"] = order.operation if going_on else f"/process/orders/v1/orders/{order.id}"
