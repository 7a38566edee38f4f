"""Salesforce as a CRM: what the port asks, in Salesforce's calls. Nothing is retried here; the guard does that."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from contracts.models.party import Account
from contracts.models.sales import Opportunities, Quote, Quotes, References
from contracts.ports.system import Crm
from kernel.clock import Clock, SystemClock
from kernel.problem import NotFound, PlatformDown, Refused
from kernel.settings import Connection
from system_apis.connector import Connector, Secrets
from system_apis.connectors.salesforce import mapping, soql
from system_apis.connectors.salesforce.client import SalesforceClient, Update, Wire
from system_apis.connectors.salesforce.fields import Fields
from system_apis.connectors.salesforce.ids import record_id
from system_apis.connectors.salesforce.options import CURRENCY, Options, options

R = TypeVar("R")


class SalesforceCrm:
    """Implements `contracts.ports.system.Crm`. Whatever cannot be a record's id is not found, without asking Salesforce."""

    def __init__(self, client: SalesforceClient, options: Options) -> None:
        self._client, self._options = client, options
        self._several_currencies = True  # until the org says that it has no such field

    async def get_account(self, account_id: str) -> Account:
        id = self._checked("account", account_id)

        async def ask(currency: bool) -> Wire:
            return await self._client.row("Account", id, soql.account_fields(self._options, currency=currency))

        return mapping.account(self._fields("Account", await self._in_currency(ask)), self._options)

    async def get_quote(self, quote_id: str) -> Quote:
        id = self._checked("quote", quote_id)

        async def ask(currency: bool) -> list[Wire]:
            return await self._client.query(soql.quote(self._options, id, currency=currency))

        found = await self._in_currency(ask)
        if not found:
            raise self._no("quote", id)
        return mapping.quote(self._fields("Quote", found[0]), self._options)

    async def list_quotes(self, account_id: str) -> Quotes:
        """The newest 200; none for an account that is not there. One quote that cannot be understood fails the list."""
        id = self._checked("account", account_id)

        async def ask(currency: bool) -> list[Wire]:
            return await self._client.query(soql.quotes_of(self._options, id, currency=currency))

        found = await self._in_currency(ask)
        return Quotes(items=[mapping.quote(self._fields("Quote", one), self._options) for one in found])

    async def list_opportunities(self, account_id: str) -> Opportunities:
        """The newest 200; none for an account that is not there."""
        id = self._checked("account", account_id)

        async def ask(currency: bool) -> list[Wire]:
            return await self._client.query(soql.opportunities_of(id, currency=currency))

        found = await self._in_currency(ask)
        return Opportunities(items=[mapping.opportunity(self._fields("Opportunity", one), self._options) for one in found])

    async def write_account_references(self, account_id: str, references: References) -> None:
        id, form = self._checked("account", account_id), mapping.account_form(references, self._options)
        if form:
            await self._client.update(Update("Account", id, form))

    async def write_quote_references(self, quote_id: str, references: References) -> None:
        """Quote and opportunity are written together or not at all. A quote may have no opportunity, so it is asked first."""
        id, form = self._checked("quote", quote_id), mapping.quote_form(references, self._options)
        if not form:
            return
        row = self._fields("Quote", await self._client.row("Quote", id, ["Id", "OpportunityId"]))
        opportunity = row.optional_id("OpportunityId")
        others = [Update("Opportunity", opportunity, form)] if opportunity else []
        await self._client.update_together([Update("Quote", id, form), *others])

    async def probe(self) -> None:
        try:
            await self._client.resources()
        except NotFound:
            fix = f"set options.api_version of the connection {self._client.system!r} to a version that the org has, such as 66.0"
            version = self._options.api_version
            raise PlatformDown(f"Salesforce: the org has no API version {version}", system=self._client.system, fix=fix) from None

    async def _in_currency(self, ask: Callable[[bool], Awaitable[R]]) -> R:
        """Asks for each record's currency; where the org turns out to have only one, the default currency stands for it."""
        try:
            return await ask(self._several_currencies)
        except Refused as refusal:
            if refusal.field != CURRENCY or self._options.default_currency is None:
                raise
        self._several_currencies = False
        return await ask(False)

    def _checked(self, kind: str, given: str) -> str:
        id = record_id(given)
        if id is None:
            raise self._no(kind, "with such an id")
        return id

    def _no(self, kind: str, id: str) -> NotFound:
        return NotFound(f"Salesforce: there is no {kind} {id}", system=self._client.system)

    def _fields(self, sobject: str, wire: Wire) -> Fields:
        return Fields(wire, self._client.system, sobject)


def connect(connection: Connection, secrets: Secrets, clock: Clock = SystemClock()) -> Connector:
    """A live connection; raises BadSettings for options that cannot be used and MissingCredential for credentials."""
    chosen = options(connection)
    client = SalesforceClient(connection, chosen, secrets, clock)
    crm = SalesforceCrm(client, chosen)
    return Connector(
        connection=connection.id,
        vendor="salesforce",
        ports={Crm: crm},
        capabilities={},  # the port creates nothing
        probe=crm.probe,
        close=client.close,
    )
