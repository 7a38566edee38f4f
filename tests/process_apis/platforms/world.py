"""The seeded world in memory: a CRM, a billing platform and an ERP, and master data that knows their customers."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from time import monotonic
from typing import Any

from contracts.models.operation import CrmRecord
from contracts.models.sales import Quote
from contracts.ports.system import Billing, Crm, Erp
from kernel.problem import UnknownConnection
from master_data.book import MasterData
from sandbox import world
from tests.process_apis.platforms import billing, crm, erp
from tests.process_apis.platforms.billing import MemoryBilling
from tests.process_apis.platforms.crm import MemoryCrm, account_id, quote_id
from tests.process_apis.platforms.erp import MemoryErp
from tests.process_apis.platforms.traffic import Traffic

TODAY = datetime(2026, 6, 15, 12, tzinfo=UTC)


class OwnedClock:
    """Calendar time moves when the test says so; durations are real."""

    def __init__(self) -> None:
        self._now = TODAY

    def now(self) -> datetime:
        return self._now

    def monotonic(self) -> float:
        return monotonic()

    def pass_(self, time: timedelta) -> None:
        self._now += time


@dataclass(frozen=True)
class MemorySystems:
    """Implements the port `Systems`."""

    ports: dict[tuple[str, type], Any]

    def crm(self, connection: str) -> Crm:
        found: Crm = self._port(connection, Crm)
        return found

    def billing(self, connection: str) -> Billing:
        found: Billing = self._port(connection, Billing)
        return found

    def erp(self, connection: str) -> Erp:
        found: Erp = self._port(connection, Erp)
        return found

    def _port(self, connection: str, port: type) -> Any:
        if (connection, port) not in self.ports:
            raise UnknownConnection(f"there is no connection {connection!r}", field="connection")
        return self.ports[connection, port]


class World:
    """`traffic` counts and disturbs the calls; the platforms' tables are open to the test."""

    def __init__(self, book: MasterData) -> None:
        self.clock, self.book, self.traffic = OwnedClock(), book, Traffic()
        self.crm = MemoryCrm(self.traffic, TODAY.date())
        self.billing = MemoryBilling(self.traffic)
        self.erp = MemoryErp(self.traffic, TODAY.date())
        self.systems = MemorySystems(
            {(crm.CONNECTION, Crm): self.crm, (billing.CONNECTION, Billing): self.billing, (erp.CONNECTION, Erp): self.erp}
        )
        for party in world.PARTIES:
            if party.in_erp:
                self.erp.know(
                    party.key, party.name, party.currency, active=party.active, limit=party.credit_limit, owed=party.balance
                )
            if party.in_billing:
                self.billing.know(party.key, party.name, party.currency, active=party.active)

    async def onboard(self, *numbers: str) -> None:
        """Makes the accounts customers everywhere, with 50,000 of credit."""
        for number in numbers:
            account = self.crm.accounts[account_id(number)]
            ledger = self.erp.of(number) or self.erp.know(number, account.name, account.currency)
            billed = self.billing.of(number) or self.billing.know(number, account.name, account.currency)
            for reference in (account.reference, ledger.reference, billed.reference):
                await self.book.references.link(number, reference)

    def quote(self, number: str) -> Quote:
        return self.crm.quotes[quote_id(number)]

    def change_quote(self, number: str, /, **changes: Any) -> None:
        self.crm.quotes[quote_id(number)] = self.quote(number).model_copy(update=changes)

    def change_account(self, number: str, /, **changes: Any) -> None:
        id = account_id(number)
        self.crm.accounts[id] = self.crm.accounts[id].model_copy(update=changes)


def quote(number: str) -> CrmRecord:
    return CrmRecord(connection=crm.CONNECTION, id=quote_id(number))


def account(number: str) -> CrmRecord:
    return CrmRecord(connection=crm.CONNECTION, id=account_id(number))
