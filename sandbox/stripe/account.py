"""The state of one Stripe account: its tables, counters, clock, events and what is due later."""

import heapq
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from sandbox.stripe import errors
from sandbox.stripe.search import SearchIndex
from sandbox.stripe.store import Keys, Table, by
from sandbox.stripe.wire import Wire, snapshot

VERSION = "2026-10-28.endive"


def _prices(subscription: Wire) -> list[Any]:
    return [item["price"]["id"] for item in subscription["items"]["data"]]


def _subscription(invoice: Wire) -> list[Any]:
    details = (invoice["parent"] or {}).get("subscription_details")
    return [details["subscription"]] if details else []


def _intent(payment: Wire) -> list[Any]:
    return [payment["payment"]["payment_intent"]] if "payment_intent" in payment["payment"] else []


_TABLES: dict[str, tuple[str, dict[str, Keys]]] = {
    "customer": ("customer", {"email": by("email")}),
    "product": ("product", {}),
    "price": ("price", {"product": by("product"), "lookup_key": by("lookup_key")}),
    "tax_rate": ("tax rate", {}),
    "tax.calculation": ("tax calculation", {}),
    "subscription": ("subscription", {"customer": by("customer"), "price": _prices}),
    "subscription_item": ("subscription_item", {"subscription": by("subscription")}),
    "subscription_schedule": ("subscription schedule", {"customer": by("customer")}),
    "invoice": ("invoice", {"customer": by("customer"), "subscription": _subscription}),
    "invoice_payment": ("invoice_payment", {"invoice": by("invoice"), "payment_intent": _intent}),
    "payment_intent": ("payment_intent", {"customer": by("customer")}),
    "charge": ("charge", {"payment_intent": by("payment_intent"), "customer": by("customer")}),
    "refund": ("refund", {"payment_intent": by("payment_intent"), "charge": by("charge")}),
    "credit_note": ("credit note", {"invoice": by("invoice"), "customer": by("customer")}),
    "billing.meter": ("meter", {"event_name": by("event_name")}),
    "event": ("event", {"type": by("type")}),
    "webhook_endpoint": ("webhook endpoint", {}),
}


@dataclass
class Call:
    """One request as a handler sees it: path parts and checked parameters."""

    account: "Account"
    path: dict[str, str]
    params: dict[str, Any]

    def get(self, name: str, default: Any = None) -> Any:
        return self.params.get(name, default)

    def named(self, object_: str, part: str = "id") -> Wire:
        """The object that the path names."""
        return self.account.find(object_, self.path[part], part, in_path=True)


@dataclass
class Usage:
    """What a meter heard of one customer: (time, arrival, identifier, value), sorted."""

    events: list[tuple[int, int, str, Any]] = field(default_factory=list)


class Account:
    """Everything that the imitation remembers. Handlers run without awaiting, so each request is atomic."""

    def __init__(self, clock: Callable[[], float], search_lag: float) -> None:
        self.clock, self.search_lag = clock, search_lag
        self.on_event: Callable[[Wire], None] = lambda event: None
        self.clear()

    def clear(self) -> None:
        self.tables = {name: Table(noun, indexes) for name, (noun, indexes) in _TABLES.items()}
        self.search = SearchIndex(self.clock, self.search_lag)
        self.counters: defaultdict[str, count[int]] = defaultdict(lambda: count(1))
        self.due: list[tuple[int, bool, int, Callable[[], None]]] = []
        self.origin: Wire = {"id": None, "idempotency_key": None}
        self.moment: int | None = None  # the time at which something due happens, while it happens
        self.quiet = False
        self.secrets: dict[str, str] = {}  # webhook endpoint -> signing secret
        self.usage: dict[tuple[str, str], Usage] = {}  # event name, customer -> usage
        self.meter_events: dict[str, Wire] = {}  # identifier -> event
        self.pending_lines: defaultdict[str, list[Wire]] = defaultdict(list)  # subscription -> lines for its next invoice
        self.tax_ids: defaultdict[str, list[Wire]] = defaultdict(list)  # customer -> its tax ids
        self.invoice_lines: dict[str, list[Wire]] = {}  # invoice -> all its lines; the object shows the first page
        self.entity_rates: dict[str, str] = {}  # legal entity -> its seeded tax rate
        self.calculation_lines: dict[str, list[Wire]] = {}  # tax calculation -> its lines

    def now(self) -> int:
        return int(self.clock()) if self.moment is None else self.moment

    def new_id(self, prefix: str) -> str:
        """The next id with a prefix: the same at each start, and of the vendor's usual length."""
        return f"{prefix}_1Sbx{next(self.counters[prefix]):020d}"

    def table(self, object_: str) -> Table:
        return self.tables[object_]

    def save(self, row: Wire) -> Wire:
        """Stores an object and brings its indexes up to date; search sees it later."""
        self.search.write(row)
        return self.tables[row["object"]].put(row)

    def delete(self, row: Wire) -> Wire:
        self.search.write(row, deleted=True)
        tombstone = {"id": row["id"], "object": row["object"], "deleted": True}
        return self.tables[row["object"]].delete(row["id"], tombstone)

    def find(self, object_: str, id: str, param: str, *, in_path: bool = False) -> Wire:
        """An object by id. Raises Refused: 404 when the path names it, 400 when a parameter does."""
        table = self.tables[object_]
        row = table.rows.get(id)
        if row is None:
            raise errors.no_such(table.noun, id, param, in_path=in_path)
        return row

    def emit(self, type: str, row: Wire, previous: Wire | None = None) -> None:
        """Records that something happened, with the object as it is now."""
        if self.quiet:
            return
        data: Wire = {"object": snapshot(row)}
        if previous is not None:
            data["previous_attributes"] = previous
        event: Wire = {
            "id": self.new_id("evt"), "object": "event", "api_version": VERSION, "created": self.now(), "data": data,
            "livemode": False, "pending_webhooks": 0, "request": dict(self.origin), "type": type,
        }  # fmt: skip
        self.tables["event"].put(event)
        self.on_event(event)

    def update(self, row: Wire, changes: Wire, event: str | None = None) -> Wire:
        """Applies changes, and emits an event that says what the changed fields were; nothing when nothing changed."""
        previous = {k: snapshot(row.get(k)) for k, v in changes.items() if row.get(k) != v}
        row.update(changes)
        self.save(row)
        if event and previous:
            self.emit(event, row, previous)
        return row

    def later(self, at: int, action: Callable[[], None], *, first: bool = False) -> None:
        """Has something done at a time; `first`: before the other things of that second."""
        heapq.heappush(self.due, (at, not first, next(self.counters["due"]), action))

    def catch_up(self) -> None:
        """Does what became due since the last request, in order of time."""
        now = self.now()
        while self.due and self.due[0][0] <= now:
            self.moment, _, _, action = heapq.heappop(self.due)
            try:
                action()
            except errors.Refused:
                pass  # nobody asked for this, so nobody hears that it cannot be done (a price archived since)
            finally:
                self.moment = None
