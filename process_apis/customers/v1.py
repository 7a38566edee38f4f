"""Customers v1: one customer seen across CRM, ERP and billing."""

from typing import Annotated

from fastapi import Path

from contracts.models.customer360 import CustomerView
from contracts.ports.process import CustomerProcess
from kernel.api import Api
from kernel.calls import billing, crm, erp
from kernel.tenancy import by_path

Connection = Annotated[str, Path(pattern=r"^[a-z][a-z0-9-]{0,39}$", examples=["salesforce"])]
AccountId = Annotated[str, Path(min_length=1, max_length=128, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]

READS = (
    *crm("get_account", "list_opportunities", "list_quotes"),
    *erp("get_customer", "get_credit"),
    *billing("get_customer", "list_subscriptions", "list_invoices"),
)


def customers_api(customers: CustomerProcess) -> Api:
    api = Api(
        "process", "customers", "1.0.0", "Customers", "One customer seen across CRM, ERP and billing.", "quote-to-cash",
        {"customers:read": "See customers across systems"}, audience="partner",
    )  # fmt: skip

    @api.get(
        "/customers/{connection}/{account_id}", scope="customers:read", tenancy=by_path("connection", "account_id"), calls=READS
    )
    async def get_customer_view(connection: Connection, account_id: AccountId) -> CustomerView:
        """The account with its opportunities and quotes, its standing in the ERP, its subscriptions and invoices, its orders.
        A system that does not answer is listed in `unavailable` and costs only its own part.
        """
        return await customers.get_customer_view(connection, account_id)

    return api
