"""The dossier of a quote: what the checks need to know of it, each fact asked for once and shared by all who wait for it."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from datetime import date
from typing import Any, TypeVar

from contracts.models.catalog import ChargeKind, Items
from contracts.models.master_data import MappingKind
from contracts.models.operation import CrmRecord
from contracts.models.party import Account, Customer
from contracts.models.reference import Reference
from contracts.models.sales import Quote
from contracts.models.tax import TaxableLine, TaxPreview, TaxRequest
from contracts.ports.system import Billing, Crm, Erp, Systems
from kernel.context import restricted
from kernel.problem import Invalid, Refused
from kernel.settings import Route
from master_data.book import MasterData
from process_apis.quotes.lines import SoldLine, allocate_bundles, sold_lines

T = TypeVar("T")
CUSTOMER = "customer"


class Dossier:
    """One quote under examination, on one day. Facts are fetched concurrently and at most once."""

    def __init__(self, systems: Systems, book: MasterData, record: CrmRecord, today: date) -> None:
        self.systems, self.book, self.record, self.today = systems, book, record, today
        self._asked: dict[str, asyncio.Task[Any]] = {}

    async def _once(self, name: str, ask: Callable[[], Coroutine[Any, Any, T]]) -> T:
        task = self._asked.get(name)
        if task is None:
            task = self._asked[name] = asyncio.create_task(ask())
            task.add_done_callback(_retrieve)
        answer: T = await asyncio.shield(task)
        return answer

    async def close(self) -> None:
        """Stops asking for what nobody waits for any more."""
        for task in self._asked.values():
            task.cancel()
        await asyncio.gather(*self._asked.values(), return_exceptions=True)

    def settled(self, name: str) -> Any:
        """A fact that has been established, None when it has not (yet)."""
        task = self._asked.get(name)
        return task.result() if task and task.done() and not task.cancelled() and not task.exception() else None

    def problem(self, name: str) -> BaseException | None:
        """Why a fact could not be established; None when it was, or nobody knows yet."""
        task = self._asked.get(name)
        return task.exception() if task and task.done() and not task.cancelled() else None

    @property
    def crm(self) -> Crm:
        return self.systems.crm(self.record.connection)

    async def quote(self) -> Quote:
        return await self._once("quote", lambda: _coroutine(self.crm.get_quote(self.record.id)))

    async def account(self) -> Account:
        async def ask() -> Account:
            return await self.crm.get_account((await self.quote()).account.id)

        return await self._once("account", ask)

    async def customer_key(self) -> str:
        """Our key of the customer: by cross-reference once it is onboarded, else as the CRM's account says."""

        async def ask() -> str:
            known = await self.book.references.key_of((await self.quote()).account)
            return known or (await self.account()).number

        return await self._once("customer key", ask)

    async def _linked(self) -> bool:
        """Whether the key is the account's for sure: a number that an account merely has may be another customer's."""
        return await self.book.references.key_of((await self.quote()).account) is not None

    async def route(self) -> Route:
        """Which legal entity sells to the customer: its country decides."""

        async def ask() -> Route:
            account = await self.account()
            if account.address is None:
                raise Invalid(
                    f"the account {account.number} has no billing address",
                    field="account.address",
                    system=self.record.connection,
                    fix="enter the billing address of the account in the CRM",
                )
            return self.book.routing.of(account.address.country)

        return await self._once("route", ask)

    async def erp(self) -> Erp:
        return self.systems.erp((await self.route()).erp)

    async def billing(self) -> Billing:
        return self.systems.billing((await self.route()).billing)

    async def erp_customer(self) -> Reference:
        return await self._customer_in((await self.route()).erp)

    async def billing_customer(self) -> Reference:
        return await self._customer_in((await self.route()).billing)

    async def _customer_in(self, connection: str) -> Reference:
        """The customer's object in a platform; a customer not onboarded there is a refusal."""

        async def ask() -> Reference:
            key = await self.customer_key()
            found = await self.book.references.find(key, connection, CUSTOMER)
            if found is None or (restricted() and not await self._linked()):
                raise Refused(
                    f"the customer {key} is not known in {connection}", field="quote.account", system=connection,
                    fix="onboard the customer first: POST /process/onboarding/v1/onboardings",
                )  # fmt: skip
            return found

        return await self._once(f"customer in {connection}", ask)

    async def erp_record(self) -> Customer:
        async def ask() -> Customer:
            return await (await self.erp()).get_customer((await self.erp_customer()).id)

        return await self._once("erp record", ask)

    async def lines(self) -> list[SoldLine]:
        """The quote's lines as they are sold: bundles taken apart, charges resolved."""

        async def ask() -> list[SoldLine]:
            return await sold_lines(await self.quote(), self.book.mappings, self.today)

        return await self._once("lines", ask)

    async def item_codes(self) -> dict[str, str]:
        """sku → the ERP's item code, for those that are mapped."""

        async def ask() -> dict[str, str]:
            from_skus = [line.sku for line in await self.lines()]
            return await self.book.mappings.resolve(MappingKind.ITEM, from_skus, (await self.route()).erp, self.today)

        return await self._once("item codes", ask)

    async def items(self) -> Items:
        async def ask() -> Items:
            codes, quote = await self.item_codes(), await self.quote()
            if not codes:
                return Items(items=[])
            return await (await self.erp()).list_items(sorted(set(codes.values())), quote.currency)

        return await self._once("items", ask)

    async def tax_source(self) -> str:
        """What a tax code is mapped from: "legal entity/country"."""
        route, account = await self.route(), await self.account()
        return f"{route.legal_entity}/{account.address.country if account.address else ''}"

    async def priced_lines(self) -> list[SoldLine]:
        """The lines with every amount known: bundles allocated by the ERP's base prices."""
        lines = await self.lines()
        if not any(line.bundle for line in lines):
            return lines
        codes, items = await self.item_codes(), {item.code: item for item in (await self.items()).items}
        base = {sku: items[code].unit_price for sku, code in codes.items() if code in items}
        return allocate_bundles(lines, {sku: price for sku, price in base.items() if price is not None})

    async def tax_preview(self) -> TaxPreview | None:
        """What the tax engine would charge for the fixed charges; metered ones are taxed when they are known.

        None when nothing is fixed.
        """

        async def ask() -> TaxPreview | None:
            account, quote = await self.account(), await self.quote()
            lines = [
                TaxableLine(line=line.line, sku=line.sku, amount=line.amount, quantity=line.quantity)
                for line in await self.priced_lines()
                if line.amount is not None and line.charge is not ChargeKind.MONTHLY_USAGE
            ]
            await self.route()
            if account.address is None or not lines:
                return None
            return await (await self.billing()).preview_tax(
                TaxRequest(currency=quote.currency, ship_to=account.address, lines=lines)
            )

        return await self._once("tax preview", ask)


async def _coroutine(awaitable: Awaitable[T]) -> T:
    return await awaitable


def _retrieve(task: "asyncio.Task[Any]") -> None:
    if not task.cancelled():
        task.exception()
