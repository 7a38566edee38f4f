"""What an account calls its currencies, payment terms and tax items: asked once for all who wait, and again when it is old."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

from contracts.models.ledger import TaxCode
from kernel.clock import Clock
from kernel.problem import BadPlatformAnswer, Conflict, Refused
from system_apis.connectors.netsuite import mapping, queries
from system_apis.connectors.netsuite.client import NetSuiteClient
from system_apis.connectors.netsuite.fields import Fields

KNOWN_SECONDS = 600.0  # how long an answer is taken for still true

K = TypeVar("K")
V = TypeVar("V")


class Remembered(Generic[K, V]):
    """Answers by key, `seconds` long; that there is none is never remembered. One question at a time is on its way."""

    def __init__(self, ask: Callable[[K], Awaitable[V | None]], clock: Clock, seconds: float = KNOWN_SECONDS) -> None:
        self._ask, self._clock, self._seconds = ask, clock, seconds
        self._known: dict[K, tuple[V, float]] = {}
        self._asking = asyncio.Lock()

    async def get(self, key: K) -> V | None:
        known = self._fresh(key)
        if known is not None:
            return known
        async with self._asking:
            known = self._fresh(key)
            return known if known is not None else await self._asked(key)

    def _fresh(self, key: K) -> V | None:
        value, until = self._known.get(key, (None, 0.0))
        return value if value is not None and self._clock.monotonic() < until else None

    async def _asked(self, key: K) -> V | None:
        asked_at = self._clock.monotonic()
        value = await self._ask(key)
        if value is None:
            self._known.pop(key, None)
        else:
            self._known[key] = (value, asked_at + self._seconds)
        return value


class Directory:
    """The ids behind codes, and the other way round. Raises Refused, with a fix, for what the account does not have."""

    def __init__(self, client: NetSuiteClient, clock: Clock) -> None:
        self._client = client
        self._currencies: Remembered[str, str] = Remembered(self._ask_currency, clock)
        self._symbols: Remembered[str, str] = Remembered(self._ask_symbol, clock)
        self._terms: Remembered[int, str] = Remembered(self._ask_terms, clock)
        self._tax_items: Remembered[str, TaxCode] = Remembered(self.find_tax_code, clock)

    async def currency(self, symbol: str) -> str:
        """The internal id of an ISO 4217 currency."""
        found = await self._currencies.get(symbol)
        if found is None:
            fix = f"add the currency {symbol} in NetSuite, its symbol being the ISO code"
            raise self._refused(f"has no active currency {symbol}", "currency", fix)
        return found

    async def symbol(self, currency: str) -> str:
        """The ISO 4217 code of a currency's internal id."""
        found = await self._symbols.get(currency)
        if found is None:
            raise BadPlatformAnswer(f"NetSuite: the currency {currency} is nowhere", system=self._client.system)
        return found

    async def terms(self, days: int) -> str:
        """The internal id of the terms with exactly so many days until the net amount is due."""
        found = await self._terms.get(days)
        if found is None:
            fix = f"add terms of {days} days and no discount in NetSuite, or grant days for which it has terms"
            raise self._refused(f"has no terms of {days} days", "terms.payment_days", fix)
        return found

    async def tax_item(self, code: str, field: str) -> str:
        """The internal id of an active tax item; `field` is whose fault it is if there is none."""
        found = await self._tax_items.get(code)
        if found is None or not found.active:
            fix = "add it in NetSuite, or correct the mapping of tax codes"
            raise self._refused(f"has no active tax item {code!r}", field, fix)
        return found.id

    async def find_tax_code(self, code: str) -> TaxCode | None:
        """An active one goes before inactive ones; two active ones of one name are a Conflict."""
        found = [mapping.tax_code(row) for row in await self.rows(queries.TAX_ITEM, code, name="salestaxitem")]
        if sum(one.active for one in found) > 1:
            ids, fix = ", ".join(one.id for one in found if one.active), "leave one of them active in NetSuite"
            raise Conflict(f"NetSuite: {ids} are active tax items of one name", system=self._client.system, field="code", fix=fix)
        return found[0] if found else None

    async def rows(self, q: str, *params: str | int, name: str) -> list[Fields]:
        return [Fields(row, self._client.system, name) for row in await self._client.select(q, *params)]

    async def _ask_currency(self, symbol: str) -> str | None:
        rows = await self.rows(queries.CURRENCY_BY_SYMBOL, symbol, name="currency")
        return rows[0].text("id") if rows else None

    async def _ask_symbol(self, currency: str) -> str | None:
        rows = await self.rows(queries.CURRENCY_BY_ID, currency, name="currency")
        return rows[0].text("symbol") if rows else None

    async def _ask_terms(self, days: int) -> str | None:
        """Terms with a discount promise more than days, so they are not what finance granted."""
        rows = await self.rows(queries.TERMS_BY_DAYS, days, name="term")
        return next((row.text("id") for row in rows if not row.optional_decimal("discountpercent")), None)

    def _refused(self, what: str, field: str, fix: str) -> Refused:
        return Refused(f"NetSuite {what}", system=self._client.system, field=field, fix=fix)
