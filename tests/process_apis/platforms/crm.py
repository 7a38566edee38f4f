"""A CRM in memory: accounts, opportunities and quotes of the seeded world, and the references written back to them."""

from datetime import date, timedelta
from decimal import Decimal
from typing import TypeVar

from contracts.models.money import Money
from contracts.models.party import Account, Address
from contracts.models.reference import Reference
from contracts.models.sales import Opportunities, Opportunity, Quote, QuoteLine, Quotes, References
from kernel.problem import NotFound
from sandbox import world
from tests.process_apis.platforms.traffic import Traffic

T = TypeVar("T")
CONNECTION = "salesforce"


def account_id(number: str) -> str:
    return "001" + number.removeprefix("ACC-")


def quote_id(number: str) -> str:
    return "0Q0" + number.removeprefix("Q-")


def reference(kind: str, id: str) -> Reference:
    return Reference(connection=CONNECTION, kind=kind, id=id)


class MemoryCrm:
    """Implements the port `Crm`. `written` keeps what was written to which record, in order."""

    def __init__(self, traffic: Traffic, today: date) -> None:
        self._traffic = traffic
        self.accounts = {account_id(party.key): _account(party) for party in world.PARTIES}
        self.quotes = {quote_id(quote.key): _quote(quote, today) for quote in world.QUOTES}
        self.written: list[tuple[str, References]] = []

    async def get_account(self, account_id: str) -> Account:
        async with self._traffic.call("crm", "get_account"):
            return _known(self.accounts, account_id, "account")

    async def get_quote(self, quote_id: str) -> Quote:
        async with self._traffic.call("crm", "get_quote"):
            return _known(self.quotes, quote_id, "quote")

    async def list_quotes(self, account_id: str) -> Quotes:
        async with self._traffic.call("crm", "list_quotes"):
            return Quotes(items=[quote for quote in self.quotes.values() if quote.account.id == account_id])

    async def list_opportunities(self, account_id: str) -> Opportunities:
        async with self._traffic.call("crm", "list_opportunities"):
            theirs = [quote for quote in self.quotes.values() if quote.account.id == account_id and quote.opportunity]
            return Opportunities(items=[_opportunity(quote) for quote in theirs])

    async def write_account_references(self, account_id: str, references: References) -> None:
        async with self._traffic.call("crm", "write_account_references"):
            self.written.append((account_id, references))

    async def write_quote_references(self, quote_id: str, references: References) -> None:
        async with self._traffic.call("crm", "write_quote_references"):
            self.written.append((quote_id, references))


def _known(kept: dict[str, T], id: str, kind: str) -> T:
    if id not in kept:
        raise NotFound(f"Memory CRM: there is no {kind} {id}", system=CONNECTION)
    return kept[id]


def _account(party: world.Party) -> Account:
    address = party.address
    return Account(
        reference=reference("account", account_id(party.key)), number=party.key, name=party.name, currency=party.currency,
        active=party.active, email=party.email, address=Address(**vars(address)) if address else None, tax_id=party.tax_id,
        parent=reference("account", account_id(party.parent)) if party.parent else None,
    )  # fmt: skip


def _quote(quote: world.Quote, today: date) -> Quote:
    currency = next(party.currency for party in world.PARTIES if party.key == quote.party)
    lines = [
        QuoteLine(id=f"{quote_id(quote.key)}L{number}", sku=line.sku, quantity=line.quantity, unit_price=Decimal(line.unit_price))
        for number, line in enumerate(quote.lines)
    ]
    total = sum((line.unit_price * line.quantity for line in lines), Decimal(0))
    return Quote(
        reference=reference("quote", quote_id(quote.key)), number=quote.key, name=quote.name, status=quote.status,
        approved=quote.status == "Approved", account=reference("account", account_id(quote.party)),
        opportunity=reference("opportunity", "006" + quote.key.removeprefix("Q-")), currency=currency,
        expires_on=today + timedelta(days=quote.expires_in_days), contract_start=None, contract_months=quote.contract_months,
        lines=lines, total=Money.of(total, currency),
    )  # fmt: skip


def _opportunity(quote: Quote) -> Opportunity:
    assert quote.opportunity is not None
    return Opportunity(reference=quote.opportunity, name=quote.name, stage="Proposal", amount=quote.total, won=False)
