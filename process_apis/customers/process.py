"""The customer in every system at once; a system that does not answer costs its own part and nothing else."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from contracts.models.customer360 import CustomerView, Unavailable
from contracts.models.operation import CrmRecord
from contracts.models.party import Account
from contracts.ports.process import OrderProcess
from contracts.ports.system import Systems
from kernel.context import may_see, restricted
from kernel.problem import PlatformTimeout, Problem
from kernel.settings import Route
from master_data.book import MasterData
from process_apis.operations import no_such

Part = Callable[[], Awaitable[Any]]
CUSTOMER = "customer"
SHOWN_ORDERS = 20


class CustomerViews:
    """Implements the port `CustomerProcess`. `deadline` is seconds per part."""

    def __init__(self, systems: Systems, book: MasterData, orders: OrderProcess, deadline: float) -> None:
        self._systems, self._book, self._orders, self._deadline = systems, book, orders, deadline

    async def get_customer_view(self, connection: str, account_id: str) -> CustomerView:
        """Raises NotFound when the CRM has no such account, and the CRM's own problem when it does not answer."""
        if not may_see(f"{connection}/{account_id}"):
            raise no_such("account", CrmRecord(connection=connection, id=account_id))
        account = await self._systems.crm(connection).get_account(account_id)
        linked = await self._book.references.key_of(account.reference)
        key = linked or account.number
        parts: dict[str, Part] = {
            **self._crm_parts(connection, account_id),
            "orders": lambda: self._orders.list_orders(customer_key=key, limit=SHOWN_ORDERS),
        }
        route = self._route(account)
        if route is not None and (linked or not restricted()):  # a number alone may be another customer's
            parts |= await self._erp_parts(key, route) | await self._billing_parts(key, route)
        answers = await asyncio.gather(*(self._within(name, part) for name, part in parts.items()))
        shown = {name: getattr(answer, "items", answer) for name, answer, problem in answers if problem is None}
        missing = [Unavailable(part=name, problem=problem.body()) for name, _, problem in answers if problem is not None]
        return CustomerView.model_validate({"customer_key": key, "account": account, "unavailable": missing, **shown})

    def _crm_parts(self, connection: str, account_id: str) -> dict[str, Part]:
        crm = self._systems.crm(connection)
        return {"opportunities": lambda: crm.list_opportunities(account_id), "quotes": lambda: crm.list_quotes(account_id)}

    async def _erp_parts(self, key: str, route: Route) -> dict[str, Part]:
        found = await self._book.references.find(key, route.erp, CUSTOMER)
        if found is None:
            return {}
        id, erp = found.id, self._systems.erp
        return {"erp_customer": lambda: erp(route.erp).get_customer(id), "credit": lambda: erp(route.erp).get_credit(id)}

    async def _billing_parts(self, key: str, route: Route) -> dict[str, Part]:
        found = await self._book.references.find(key, route.billing, CUSTOMER)
        if found is None:
            return {}
        id, billing = found.id, self._systems.billing
        return {
            "billing_customer": lambda: billing(route.billing).get_customer(id),
            "subscriptions": lambda: billing(route.billing).list_subscriptions(id),
            "invoices": lambda: billing(route.billing).list_invoices(id),
        }

    async def _within(self, name: str, part: Part) -> tuple[str, Any, Problem | None]:
        try:
            async with asyncio.timeout(self._deadline):
                return name, await part(), None
        except TimeoutError:
            return name, None, PlatformTimeout(f"no answer within {self._deadline:g} s")
        except Problem as problem:
            return name, None, problem

    def _route(self, account: Account) -> Route | None:
        try:
            return self._book.routing.of(account.address.country) if account.address else None
        except Problem:
            return None
