"""Sales desk v1: see the customer, validate the quote, submit it, follow the order."""

from typing import Annotated

from fastapi import Path, Query, Response

from contracts.models.base import Code, Model
from contracts.models.customer360 import CustomerView
from contracts.models.intake import NewOrder, Order, Orders, OrderState
from contracts.models.operation import CrmRecord
from contracts.models.validation import QuoteValidation
from contracts.ports.process import CustomerProcess, OrderProcess, QuoteProcess
from kernel.api import Api, IdempotencyKey
from kernel.calls import calls
from kernel.tenancy import FILTERED, by_path

Connection = Annotated[str, Path(pattern=r"^[a-z][a-z0-9-]{0,39}$", description="The CRM connection", examples=["salesforce"])]
_RECORD, _ABOUT = r"^[A-Za-z0-9][A-Za-z0-9._-]*$", "The CRM's id"
AccountId = Annotated[
    str, Path(min_length=1, max_length=128, pattern=_RECORD, description=_ABOUT, examples=["0015g0000000002AAA"])
]
QuoteId = Annotated[str, Path(min_length=1, max_length=128, pattern=_RECORD, description=_ABOUT, examples=["0Q05g0000000001CAA"])]
OrderId = Annotated[str, Path(min_length=1, max_length=160, pattern=r"^[A-Za-z0-9][A-Za-z0-9._:-]*$")]
ENDED = frozenset({OrderState.COMPLETED, OrderState.CANCELLED, OrderState.FAILED, OrderState.REJECTED})


class Submission(Model):
    """What sales adds to the quote when it submits it."""

    customer_reference: Code | None = None


def sales_desk_api(customers: CustomerProcess, quotes: QuoteProcess, orders: OrderProcess) -> Api:
    api = Api(
        "experience", "sales_desk", "1.0.0", "Sales desk", "One customer, its quotes and its orders, for those who sell.",
        "sales-operations", {"sales-desk:read": "See customers and orders", "sales-desk:write": "Validate and submit quotes"},
        audience="partner",
    )  # fmt: skip

    @api.get(
        "/customers/{connection}/{account_id}", scope="sales-desk:read", tenancy=by_path("connection", "account_id"),
        calls=calls("process/customers/v1", "get_customer_view"),
    )  # fmt: skip
    async def show_customer(connection: Connection, account_id: AccountId) -> CustomerView:
        """The customer across CRM, ERP and billing, as far as each answers."""
        return await customers.get_customer_view(connection, account_id)

    @api.post(
        "/quotes/{connection}/{quote_id}/validations", scope="sales-desk:write", tenancy=FILTERED,
        calls=calls("process/quotes/v1", "validate_quote"),
    )  # fmt: skip
    async def check_quote(connection: Connection, quote_id: QuoteId) -> QuoteValidation:
        """May this quote become an order? Every check with its verdict, its system and, where it is not ok, what to change."""
        return await quotes.validate_quote(CrmRecord(connection=connection, id=quote_id))

    @api.post(
        "/quotes/{connection}/{quote_id}/orders", scope="sales-desk:write", status=201, also={202: "It goes on: follow it"},
        headers=("Location",), links={"show_order": "order_id"}, tenancy=FILTERED,
        calls=calls("process/orders/v1", "submit_order"),
    )  # fmt: skip
    async def place_order(
        connection: Connection, quote_id: QuoteId, submission: Submission, idempotency_key: IdempotencyKey, response: Response
    ) -> Order:
        """Submits the quote. It is refused (422) while a check is not ok, and held for a person while one could not be made."""
        record = CrmRecord(connection=connection, id=quote_id)
        wanted = NewOrder(quote=record, customer_reference=submission.customer_reference)
        order = await orders.submit_order(wanted, idempotency_key)
        response.status_code = 201 if order.state in ENDED else 202
        response.headers["Location"] = f"/experience/sales-desk/v1/orders/{order.id}"
        return order

    @api.get("/orders/{order_id}", scope="sales-desk:read", tenancy=FILTERED, calls=calls("process/orders/v1", "get_order"))
    async def show_order(order_id: OrderId) -> Order:
        """Where the order stands and what it is called in every system."""
        return await orders.get_order(order_id)

    @api.get("/orders", scope="sales-desk:read", tenancy=FILTERED, calls=calls("process/orders/v1", "list_orders"))
    async def show_orders(
        state: OrderState | None = None, customer_key: Annotated[str | None, Query(max_length=160)] = None
    ) -> Orders:
        """The latest orders, of one state or one customer if asked."""
        return await orders.list_orders(state, customer_key)

    return api
