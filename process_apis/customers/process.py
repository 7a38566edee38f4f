"""The customer in every system at once; a system that does not answer costs its own part and nothing else."""

import asyncio
from collections.abc import Awaitable
from typing import Any

from contracts.models.customer360 import CustomerView, Unavailable
from contracts.models.party import Account
from contracts.ports.process import OrderProcess
from contracts.ports.system import Systems
from kernel.problem import PlatformTimeout, Problem
from kernel.settings import Route
from master_data.book import MasterData

CUSTOMER = "customer"
SHOWN_ORDERS = 20


class CustomerViews:
    """Implements the port `CustomerProcess`. `deadline` is seconds per part."""

    def __init__(self, systems: Systems, book: MasterData, orders: OrderProcess, deadline: float) -> None:
        self._systems, self._book, self._orders, self._deadline = systems, book, orders, deadline

    async def get_customer_view(self, connection: str, account_id: str) -> CustomerView:
        """Raises NotFound when the CRM has no such account, and the CRM's own problem when it does not answer."""
        account = await self._systems.crm(connection).get_account(account_id)
        key = await self._book.references.key_of(account.reference) or account.number
        parts = {
            **self._crm_parts(connection, account_id),
            "orders": self._orders.list_orders(customer_key=key, limit=SHOWN_ORDERS),
        }
        route = self._route(account)
        if route is not None:
            parts |= await self._erp_parts(key, route) | await self._billing_parts(key, route)
        answers = await asyncio.gather(*(self._within(name, part) for name, part in parts.items()))
        shown = {name: getattr(answer, "items", answer) for name, answer, problem in answers if problem is None}
        missing = [Unavailable(part=name, problem=problem.body()) for name, _, problem in answers if problem is not None]
        return CustomerView.model_validate({"customer_key": key, "account": account, "unavailable": missing, **shown})

    def _crm_parts(self, connection: str, account_id: str) -> dict[str, Awaitable[Any]]:
        crm = self._systems.crm(connection)
        return {"opportunities": crm.list_opportunities(account_id), "quotes": crm.list_quotes(account_id)}

    async def _erp_parts(self, key: str, route: Route) -> dict[str, Awaitable[Any]]:
        found = await self._book.references.find(key, route.erp, CUSTOMER)
        if found is None:
            return {}
        erp = self._systems.erp(route.erp)
        return {"erp_customer": erp.get_customer(found.id), "credit": erp.get_credit(found.id)}

    async def _billing_parts(self, key: str, route: Route) -> dict[str, Awaitable[Any]]:
        found = await self._book.references.find(key, route.billing, CUSTOMER)
        if found is None:
            return {}
        billing = self._systems.billing(route.billing)
        return {
            "billing_customer": billing.get_customer(found.id),
            "subscriptions": billing.list_subscriptions(found.id),
            "invoices": billing.list_invoices(found.id),
        }

    async def _within(self, name: str, part: Awaitable[Any]) -> tuple[str, Any, Problem | None]:
        try:
            async with asyncio.timeout(self._deadline):
                return name, await part, None
        except TimeoutError:
            return name, None, PlatformTimeout(f"no answer within {self._deadline:g} s")
        except Problem as problem:
            return name, None, problem

    def _route(self, account: Account) -> Route | None:
        try:
            return self._book.routing.of(account.address.country) if account.address else None
        except Problem:
            return None
