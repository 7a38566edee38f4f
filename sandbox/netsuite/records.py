"""Create, read, update, upsert, delete and transform: a draft is completed by the rules of its type and stored in one go."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sandbox.netsuite import books as common
from sandbox.netsuite.books import Books
from sandbox.netsuite.cash import complete_journal, complete_payment, complete_refund
from sandbox.netsuite.catalog import SETUP
from sandbox.netsuite.draft import Reader, untouch
from sandbox.netsuite.errors import invalid_content, method_not_allowed, nonexistent, user_error
from sandbox.netsuite.sales import complete_credit, complete_invoice, complete_order
from sandbox.netsuite.schema import RecordType
from sandbox.netsuite.store import Record
from sandbox.netsuite.transforms import transformed

Complete = Callable[[Books, Record, Record | None], None]
COMPLETE: dict[str, Complete] = {
    "customer": common.complete_customer,
    "inventoryItem": common.complete_item,
    "serviceSaleItem": common.complete_item,
    "nonInventorySaleItem": common.complete_item,
    "salesOrder": complete_order,
    "invoice": complete_invoice,
    "creditMemo": complete_credit,
    "customerPayment": complete_payment,
    "customerRefund": complete_refund,
    "journalEntry": complete_journal,
}
EXTERNAL = "eid:"
TO_BE_GENERATED = "To Be Generated"


@dataclass
class Records:
    """The operations of record/v1, without HTTP."""

    books: Books

    def find(self, kind: RecordType, identifier: str, url: str) -> Record:
        """By internal id or `eid:` external id; raises NONEXISTENT_ID."""
        store = self.books.store
        if identifier.startswith(EXTERNAL):
            found = store.by_external(kind.name, identifier.removeprefix(EXTERNAL))
        else:
            found = store.by_id(kind.name, identifier)
            if found is None and kind.family == "transaction" and store.by_id(kind.family, identifier):
                raise user_error("Transaction type specified is incorrect.")
        if found is None:
            raise nonexistent(url)
        return found

    def create(self, kind: RecordType, body: Any, reader: Reader) -> Record:
        if kind.name == "accountingPeriod":
            raise method_not_allowed("POST", "GET, PATCH")
        draft = Record(kind, "")
        reader.apply(draft, body, created=True)
        return self._store(draft, None)

    def form(self, kind: RecordType, body: Any, reader: Reader) -> Record:
        """The record as it would be created, with its defaults; nothing is kept, no number is spent."""
        draft = Record(kind, "")
        reader.apply(draft, body, created=True)
        if kind.label in ("tranId", "entityId"):
            draft.values.setdefault(kind.label, TO_BE_GENERATED)
        self._complete(draft, None)
        return draft

    def update(self, record: Record, body: Any, reader: Reader) -> Record:
        draft = record.copy()
        reader.apply(draft, body, created=False)
        return self._store(draft, record)

    def upsert(self, kind: RecordType, external: str, body: Any, reader: Reader) -> Record:
        """PUT eid: updates what is there, adding lines to sublists that `replace` does not name, or creates it."""
        if not external:
            raise invalid_content("The external ID must not be empty.", "externalId")
        sent = body.get("externalId") if isinstance(body, dict) else None
        if sent is not None and sent != external:
            raise invalid_content("The external ID in the body differs from the one in the URL.", "externalId")
        found = self.books.store.by_external(kind.name, external)
        if found:
            return self.update(found, body, reader)
        return self.create(kind, {**body, "externalId": external} if isinstance(body, dict) else body, reader)

    def delete(self, record: Record) -> None:
        if record.type.name in SETUP:
            raise user_error("This record cannot be deleted because it has dependent records.")
        self.books.deletable(record)
        self.books.store.remove(record)
        self._touch_orders(record)

    def transform(self, source: Record, target: RecordType, body: Any, reader: Reader) -> Record:
        draft = transformed(self.books, source, target)
        reader.apply(draft, body, created=False)
        return self._store(draft, None)

    def _complete(self, draft: Record, old: Record | None) -> None:
        self._unique(draft)
        COMPLETE.get(draft.type.name, common.complete_named)(self.books, draft, old)
        untouch(draft)

    def _unique(self, draft: Record) -> None:
        external = draft.get("externalId")
        if external is None:
            return
        holder = self.books.store.by_external(draft.type.family, external)
        if holder and holder.id != draft.id:
            raise user_error(f"This {'entity' if draft.type.family == 'entity' else 'record'} already exists.")

    def _store(self, draft: Record, old: Record | None) -> Record:
        self._complete(draft, old)
        now = self.books.clock()
        if not draft.id:
            draft.id = self.books.store.next_id(draft.type.family)
            draft.values["createdDate"] = now
        draft.values["lastModifiedDate"] = now
        self.books.store.put(draft)
        self._touch_orders(draft)
        return draft

    def _touch_orders(self, record: Record) -> None:
        """Billing an order changes the order."""
        for line in record.lines.get("item", ()):
            order = self.books.store.types["salesOrder"].get(line.get("orderDoc", ""))
            if order:
                order.values["lastModifiedDate"] = self.books.clock()
