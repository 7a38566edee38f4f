"""NetSuite as an Erp platform: what the port asks, in NetSuite's calls. Nothing is retried here; the guard does that."""

import re
from collections.abc import Awaitable
from datetime import date
from typing import TypeVar

from contracts.models.base import Model
from contracts.models.catalog import Items
from contracts.models.ledger import AccountingPeriod, LegalEntity, TaxCode
from contracts.models.order import NewSalesOrder, SalesOrder
from contracts.models.party import Credit, CreditTerms, Customer, CustomerStatusChange, NewCustomer
from contracts.ports.effects import Capability, Safety
from contracts.ports.system import Erp
from kernel.clock import Clock, SystemClock
from kernel.context import correlation_id
from kernel.http import path
from kernel.problem import Conflict, NotFound, OutcomeUnknown, Problem, Refused
from kernel.settings import BadSettings, Connection
from system_apis.connector import Connector, Secrets
from system_apis.connectors.netsuite import forms, mapping, queries
from system_apis.connectors.netsuite.body import Body
from system_apis.connectors.netsuite.client import NetSuiteClient
from system_apis.connectors.netsuite.directory import Directory
from system_apis.connectors.netsuite.fields import Fields

# PUT under an external id makes the record or brings it to the same content; a read sees it at once.
CREATE = Capability(Safety.UPSERT, look_up_lag=0)
# Internal ids are numbers. Anything else could be read as something else, `eid:…` as an external id.
_ID = re.compile(r"-?[0-9]{1,18}")
M = TypeVar("M", bound=Model)


class NetSuiteErp:
    """Implements `contracts.ports.system.Erp`."""

    def __init__(self, client: NetSuiteClient, directory: Directory) -> None:
        self._client, self._directory = client, directory

    async def find_customer(self, key: str) -> Customer | None:
        """By external id, letter for letter."""
        wire = await self._under("customer", key, mapping.CUSTOMER)
        return None if wire is None or mapping.key(wire) != key else await self._customer(wire)

    async def get_customer(self, customer_id: str) -> Customer:
        return await self._customer(await self._read("customer", customer_id, {"fields": mapping.CUSTOMER}))

    async def create_customer(self, new: NewCustomer, idempotency_key: str) -> Customer:
        """Raises Refused when the account has no such currency or terms."""
        existing = await self._under("customer", new.key, mapping.CUSTOMER)
        if existing is not None:
            return await self._customer(self._same(existing, new.key))
        if new.terms and new.terms.credit_limit.currency != new.currency:
            raise self._other_currency(new.currency, "terms.credit_limit")
        currency = await self._directory.currency(new.currency)
        terms = await self._directory.terms(new.terms.payment_days) if new.terms else None
        await self._put("customer", new.key, forms.customer_form(new, currency, terms), "addressBook")
        return await self._written(self.find_customer(new.key))

    async def set_customer_status(self, customer_id: str, change: CustomerStatusChange) -> Customer:
        await self._client.patch(self._place("customer", customer_id), forms.status_form(change.status))
        return await self._written(self.get_customer(customer_id))

    async def get_credit(self, customer_id: str) -> Credit:
        wire = await self._read("customer", customer_id, {"fields": mapping.CREDIT})
        return mapping.credit(wire, await self._directory.symbol(wire.reference("currency")))

    async def set_credit_terms(self, customer_id: str, terms: CreditTerms) -> Customer:
        """NetSuite's limit is in the customer's currency: one in another is refused."""
        customer = await self.get_customer(customer_id)
        if customer.currency != terms.credit_limit.currency:
            raise self._other_currency(str(customer.currency), "credit_limit")
        form = forms.terms_form(terms, await self._directory.terms(terms.payment_days))
        await self._client.patch(self._place("customer", customer_id), form)
        return customer

    async def list_items(self, codes: list[str], currency: str) -> Items:
        """All of them in one query. Stock is that of all locations."""
        wanted = list(dict.fromkeys(codes))
        if not wanted:
            return Items(items=[])
        return mapping.items(await self._directory.rows(queries.items(len(wanted)), *wanted, name="item"), currency)

    async def find_tax_code(self, code: str) -> TaxCode | None:
        return await self._directory.find_tax_code(code)

    async def get_legal_entity(self, entity_id: str) -> LegalEntity:
        rows = await self._directory.rows(queries.LEGAL_ENTITY, self._number("subsidiary", entity_id), name="subsidiary")
        if not rows:
            raise NotFound(f"NetSuite: there is no subsidiary {entity_id}", system=self._client.system)
        return mapping.legal_entity(rows[0])

    async def find_period(self, day: date) -> AccountingPeriod | None:
        rows = await self._directory.rows(queries.MONTH, day.isoformat(), day.isoformat(), name="accountingperiod")
        found = [mapping.period(row, day) for row in rows]
        if len(found) > 1:
            names = ", ".join(one.name for one in found)
            raise Conflict(f"NetSuite: {day} lies in several periods: {names}", system=self._client.system)
        return found[0] if found else None

    async def find_sales_order(self, key: str) -> SalesOrder | None:
        """By external id, letter for letter."""
        wire = await self._under("salesOrder", key, mapping.SALES_ORDER)
        return None if wire is None or mapping.key(wire) != key else await self._sales_order(wire)

    async def get_sales_order(self, order_id: str) -> SalesOrder:
        return await self._sales_order(await self._read("salesOrder", order_id, {"fields": mapping.SALES_ORDER}))

    async def create_sales_order(self, new: NewSalesOrder, idempotency_key: str) -> SalesOrder:
        """Raises Refused when the account has no such currency, tax item or dimension."""
        existing = await self._under("salesOrder", new.key, mapping.SALES_ORDER)
        if existing is not None:
            return await self._sales_order(self._same(existing, new.key))
        currency = await self._directory.currency(new.currency)
        tax_items = {
            line.tax_code: await self._directory.tax_item(line.tax_code, f"lines.{line.line}.tax_code")
            for line in new.lines
            if line.tax_code
        }
        form = forms.sales_order_form(new, currency, tax_items, correlation_id.get())
        await self._put("salesOrder", new.key, form, "item")
        return await self._written(self.find_sales_order(new.key))

    async def cancel_sales_order(self, order_id: str) -> SalesOrder:
        """Closes every line; raises Refused when something was delivered or invoiced already."""
        wire = await self._read("salesOrder", order_id, {"expandSubResources": "true"})
        order = await self._sales_order(wire)
        if order.status == "cancelled":
            return order
        await self._client.patch(self._place("salesOrder", order_id), forms.closing_form(mapping.closable(wire)))
        return await self._written(self.get_sales_order(order_id))

    async def probe(self) -> None:
        await self._client.get("/record/v1/currency", {"limit": "1"})

    async def _read(self, kind: str, id: str, query: dict[str, str]) -> Fields:
        return self._fields(kind, await self._client.get(self._place(kind, id), query))

    async def _under(self, kind: str, key: str, fields: str) -> Fields | None:
        """The record under an external id, which NetSuite compares without regard to case."""
        wire = await self._client.find(_under(kind, key), {"fields": fields})
        return None if wire is None else self._fields(kind, wire)

    async def _put(self, kind: str, key: str, body: Body, sublist: str) -> None:
        """`sublist` is replaced: NetSuite would add its lines once more when the same PUT arrives a second time."""
        try:
            await self._client.put(_under(kind, key), {"replace": sublist}, body)
        except Refused:
            # Of two first creates at once, one may be refused because the other came first.
            if await self._client.find(_under(kind, key), {"fields": "externalId"}) is None:
                raise

    async def _written(self, read: Awaitable[M | None]) -> M:
        """What was written, read back: whatever hinders that, the write was done, and a look-up will tell."""
        system = self._client.system
        try:
            found = await read
        except Problem as problem:
            if problem.ambiguous:
                raise
            raise OutcomeUnknown(problem.detail, system=system, retry_after=problem.retry_after) from None
        if found is None:
            raise OutcomeUnknown("NetSuite does not show what it has just taken", system=system)
        return found

    async def _customer(self, wire: Fields) -> Customer:
        return mapping.customer(wire, await self._directory.symbol(wire.reference("currency")))

    async def _sales_order(self, wire: Fields) -> SalesOrder:
        return mapping.sales_order(wire, await self._directory.symbol(wire.reference("currency")))

    def _same(self, existing: Fields, key: str) -> Fields:
        """Written under a key that differs in case only, the record of another would be overwritten."""
        if mapping.key(existing) != key:
            detail = f"NetSuite: {existing.text('id')} has an external id that differs from {key} in case only"
            raise Conflict(detail, system=self._client.system, field="key", fix="use another key")
        return existing

    def _other_currency(self, currency: str, field: str) -> Refused:
        detail, fix = "NetSuite keeps a credit limit in the customer's currency only", f"state the limit in {currency}"
        return Refused(detail, system=self._client.system, field=field, fix=fix)

    def _place(self, kind: str, id: str) -> str:
        return path("/record/v1/{kind}/{id}", kind=kind, id=self._number(kind, id))

    def _number(self, kind: str, id: str) -> str:
        if not _ID.fullmatch(id):
            raise NotFound(f"NetSuite: the id of a {kind} is a number", system=self._client.system, field="id")
        return id

    def _fields(self, kind: str, wire: Body) -> Fields:
        return Fields(wire, self._client.system, kind)


def _under(kind: str, key: str) -> str:
    return path("/record/v1/{kind}/eid:{key}", kind=kind, key=key)


def connect(connection: Connection, secrets: Secrets, clock: Clock = SystemClock()) -> Connector:
    """A live connection; raises BadSettings for options or a bad key, MissingCredential and SecretMissing for missing ones."""
    if connection.options:
        raise BadSettings(f"connection {connection.id!r}: NetSuite takes no options; remove {', '.join(connection.options)}")
    client = NetSuiteClient(connection, secrets, clock)
    erp = NetSuiteErp(client, Directory(client, clock))
    return Connector(
        connection=connection.id,
        vendor="netsuite",
        ports={Erp: erp},
        capabilities={"create_customer": CREATE, "create_sales_order": CREATE},
        probe=erp.probe,
        close=client.close,
    )
