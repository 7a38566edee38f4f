"""The seeded world: one company's customers, catalogue, contracts and books, the same at each start.

Vendor neutral; each imitation projects it into its own objects (`sandbox/<vendor>/seed.py`). Amounts are decimal strings in
major units. Dates that matter (open periods, quote expiry) are relative to the day of the start.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

ChargeKind = Literal["annual", "monthly_usage", "service", "goods", "bundle"]


@dataclass(frozen=True)
class Entity:
    """A legal entity of the selling company."""

    key: str
    name: str
    country: str
    currency: str
    netsuite_id: str
    tax_code: str  # the ERP's tax code for domestic sales
    tax_percent: str


@dataclass(frozen=True)
class Address:
    line1: str
    city: str
    postal_code: str
    country: str
    state: str | None = None


@dataclass(frozen=True)
class Party:
    """A customer of the selling company. `in_erp`/`in_billing`: whether the books know it already."""

    key: str  # the CRM's own account number, the business key everywhere
    name: str
    address: Address | None
    email: str
    currency: str
    parent: str | None = None
    tax_id: str | None = None
    in_erp: bool = False
    in_billing: bool = False
    active: bool = True
    credit_limit: str = "50000.00"
    balance: str = "0.00"
    overdue_days: int = 0


@dataclass(frozen=True)
class Product:
    """Something sold. `netsuite_item` None: the ERP does not know it; `priced` False: billing cannot rate it."""

    sku: str
    name: str
    kind: ChargeKind
    prices: dict[str, str]  # currency -> unit price
    netsuite_item: str | None
    in_stock: int | None = None  # None: stock does not apply
    priced: bool = True
    parts: tuple[tuple[str, int], ...] = ()  # of a bundle: sku, quantity


@dataclass(frozen=True)
class QuoteLine:
    sku: str
    quantity: int
    unit_price: str


@dataclass(frozen=True)
class Quote:
    key: str
    name: str
    party: str
    status: Literal["Draft", "Approved", "Accepted"]
    expires_in_days: int
    lines: tuple[QuoteLine, ...]
    contract_months: int = 12


@dataclass(frozen=True)
class Period:
    """An accounting month, half-open [start, end)."""

    start: date
    end: date
    closed: bool


ENTITIES = (
    Entity("US01", "Lumen Works Inc", "US", "USD", "1", "US-CA", "7.25"),
    Entity("DE01", "Lumen Works GmbH", "DE", "EUR", "2", "DE-19", "19.00"),
)

PARTIES = (
    Party(
        "ACC-1000",
        "Northwind Group",
        Address("500 Market St", "San Francisco", "94105", "US", "CA"),
        "group@northwind.example",
        "USD",
    ),
    Party(
        "ACC-1001",
        "Northwind Devices Inc",
        Address("1 Pier Ave", "San Francisco", "94111", "US", "CA"),
        "ap@northwind.example",
        "USD",
        parent="ACC-1000",
        tax_id="12-3456789",
    ),
    Party(
        "ACC-1002",
        "Alpenglow GmbH",
        Address("Lindenweg 4", "Berlin", "10115", "DE"),
        "rechnung@alpenglow.example",
        "EUR",
        tax_id="DE136695976",
    ),
    Party(
        "ACC-1003",
        "Harbor Freightways",
        Address("77 Dock Rd", "Oakland", "94607", "US", "CA"),
        "billing@harbor.example",
        "USD",
        in_erp=True,
        in_billing=True,
        balance="1200.00",
    ),
    Party(
        "ACC-1004",
        "Overdrawn Industries",
        Address("9 Mill Ln", "Fresno", "93650", "US", "CA"),
        "ap@overdrawn.example",
        "USD",
        in_erp=True,
        in_billing=True,
        credit_limit="10000.00",
        balance="14250.00",
        overdue_days=47,
    ),
    Party(
        "ACC-1005",
        "Dormant Holdings",
        Address("3 Quiet Ct", "Reno", "89501", "US", "NV"),
        "office@dormant.example",
        "USD",
        in_erp=True,
        in_billing=True,
        active=False,
    ),
    Party("ACC-1006", "Nowhere Trading", None, "hello@nowhere.example", "USD"),
    Party(
        "ACC-1007",
        "Rheinblick AG",
        Address("Uferstr. 12", "Köln", "50667", "DE"),
        "ap@rheinblick.example",
        "EUR",
        in_erp=True,
        in_billing=True,
        tax_id="DE811569869",
    ),
)

PRODUCTS = (
    Product("PLAT-ANNUAL", "Platform, annual", "annual", {"USD": "1200.00", "EUR": "1100.00"}, "PLATFORM-ANNUAL"),
    Product("API-USAGE", "API calls, monthly usage", "monthly_usage", {"USD": "0.02", "EUR": "0.02"}, "USAGE-API"),
    Product("ONBOARD-SVC", "Onboarding services, hour", "service", {"USD": "150.00", "EUR": "140.00"}, "SERVICE-ONBOARDING"),
    Product("SENSOR-X1", "Sensor X1", "goods", {"USD": "89.50", "EUR": "84.90"}, "SENSOR-X1", in_stock=500),
    Product("SENSOR-X9", "Sensor X9", "goods", {"USD": "249.00", "EUR": "239.00"}, "SENSOR-X9", in_stock=0),
    Product(
        "BUNDLE-START",
        "Starter bundle",
        "bundle",
        {"USD": "2500.00", "EUR": "2300.00"},
        None,
        parts=(("PLAT-ANNUAL", 1), ("ONBOARD-SVC", 10)),
    ),
    Product("LEGACY-ADDON", "Legacy add-on", "annual", {"USD": "300.00", "EUR": "280.00"}, None, priced=False),
)

_STANDARD = (QuoteLine("PLAT-ANNUAL", 10, "1200.00"), QuoteLine("API-USAGE", 1, "0.02"), QuoteLine("ONBOARD-SVC", 20, "150.00"))
_EUROPEAN = (QuoteLine("PLAT-ANNUAL", 5, "1100.00"), QuoteLine("API-USAGE", 1, "0.02"), QuoteLine("ONBOARD-SVC", 8, "140.00"))

QUOTES = (
    Quote("Q-1001", "Northwind platform 2026", "ACC-1001", "Approved", 30, _STANDARD),
    Quote("Q-1002", "Alpenglow Plattform", "ACC-1002", "Approved", 30, _EUROPEAN, contract_months=36),
    Quote("Q-1003", "Harbor sensors and platform", "ACC-1003", "Approved", 30, (*_STANDARD, QuoteLine("SENSOR-X1", 40, "89.50"))),
    Quote("Q-1004", "Overdrawn expansion", "ACC-1004", "Approved", 30, _STANDARD),
    Quote("Q-1005", "Dormant revival", "ACC-1005", "Approved", 30, _STANDARD),
    Quote("Q-1006", "Harbor long-range sensors", "ACC-1003", "Approved", 30, (QuoteLine("SENSOR-X9", 5, "249.00"),)),
    Quote("Q-1007", "Harbor last year's offer", "ACC-1003", "Approved", -10, _STANDARD),
    Quote("Q-1008", "Harbor legacy add-on", "ACC-1003", "Approved", 30, (QuoteLine("LEGACY-ADDON", 1, "300.00"),)),
    Quote("Q-1009", "Harbor draft", "ACC-1003", "Draft", 30, _STANDARD),
    Quote("Q-1010", "Rheinblick Starterpaket", "ACC-1007", "Approved", 30, (QuoteLine("BUNDLE-START", 1, "2300.00"),)),
    Quote("Q-1011", "Harbor at an old price", "ACC-1003", "Approved", 30, (QuoteLine("PLAT-ANNUAL", 1, "990.00"),)),
)


def periods(today: date) -> tuple[Period, ...]:
    """The months of last year, this year and next; closed up to and including the month before last."""
    first_open = _month_start(_month_start(today) - timedelta(days=1))
    starts = [date(year, month, 1) for year in (today.year - 1, today.year, today.year + 1) for month in range(1, 13)]
    return tuple(Period(start, _next_month(start), start < first_open) for start in starts)


def _month_start(day: date) -> date:
    return day.replace(day=1)


def _next_month(start: date) -> date:
    return date(start.year + start.month // 12, start.month % 12 + 1, 1)
