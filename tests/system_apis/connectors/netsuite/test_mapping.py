from collections.abc import Callable
from contextlib import suppress
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.models.money import Money
from kernel.problem import BadPlatformAnswer, Refused
from system_apis.connectors.netsuite import mapping
from system_apis.connectors.netsuite.fields import Fields

CUSTOMER = {
    "id": "1001", "externalId": "ACC-1", "entityId": "CUST7", "companyName": "Acme", "isPerson": False, "isInactive": False,
}  # fmt: skip
CREDIT = {
    "creditLimit": Decimal("50000.00"), "creditHoldOverride": {"id": "AUTO", "refName": "Auto"},
    "balance": Decimal("1200.10"), "unbilledOrders": Decimal("99.9"), "daysOverdue": 47,
}  # fmt: skip
ITEM = {"id": "2001", "itemid": "SENSOR-X1", "displayname": "Sensor X1", "itemtype": "InvtPart", "isinactive": "F"}
PERIOD = {
    "id": "107", "periodname": "Feb 2026", "startdate": "2/1/2026", "enddate": "2/28/2026",
    "closed": "F", "alllocked": "F", "arlocked": "F", "isposting": "T",
}  # fmt: skip
ORDER = {
    "id": "5001", "externalId": "ORD-1", "tranId": "SO1001", "orderStatus": {"id": "B"}, "total": Decimal("12000.00"),
    "entity": {"id": "1001", "refName": "Acme"},
}  # fmt: skip
FEBRUARY = date(2026, 2, 14)


def wire(of: dict[str, Any], **other: Any) -> Fields:
    return Fields({name: value for name, value in {**of, **other}.items() if value is not None}, "netsuite-us", "record")


def test_a_customer_is_read() -> None:
    found = mapping.customer(wire(CUSTOMER), "USD")

    assert (found.reference.connection, found.reference.kind, found.reference.id) == ("netsuite-us", "customer", "1001")
    assert (found.key, found.legal_name, found.currency, found.active) == ("ACC-1", "Acme", "USD", True)


@pytest.mark.parametrize(
    ("names", "shown"),
    [
        ({"companyName": None}, "CUST7"),
        ({"isPerson": True, "companyName": None, "firstName": "Ann", "lastName": "Lee"}, "Ann Lee"),
        ({"isPerson": True, "companyName": "Acme", "firstName": "Ann"}, "Ann"),
        ({"isPerson": None, "firstName": "Ann"}, "Acme"),
    ],
)
def test_a_customer_is_called_what_it_is(names: dict[str, Any], shown: str) -> None:
    assert mapping.customer(wire(CUSTOMER, **names), "USD").legal_name == shown


@pytest.mark.parametrize("external", [None, "", "no key", "-x", "é"])
def test_an_external_id_that_is_no_key_is_none(external: str | None) -> None:
    assert mapping.customer(wire(CUSTOMER, externalId=external), "USD").key is None


def test_an_inactive_customer_is_not_active() -> None:
    assert not mapping.customer(wire(CUSTOMER, isInactive=True), "USD").active


def test_exposure_is_what_is_owed_and_what_is_ordered() -> None:
    found = mapping.credit(wire(CREDIT), "USD")

    assert (found.limit, found.exposure) == (Money.of("50000", "USD"), Money.of("1300.00", "USD"))
    assert (found.overdue_days, found.on_hold) == (47, False)


@pytest.mark.parametrize(("override", "held"), [("AUTO", False), ("ON", True), ("OFF", False)])
def test_only_a_hold_that_a_person_set_is_a_hold(override: str, held: bool) -> None:
    assert mapping.credit(wire(CREDIT, creditHoldOverride={"id": override}), "USD").on_hold is held


def test_no_limit_is_none_and_a_limit_of_nothing_is_not() -> None:
    assert mapping.credit(wire(CREDIT, creditLimit=None), "USD").limit is None
    assert mapping.credit(wire(CREDIT, creditLimit=0), "USD").limit == Money.zero("USD")


@pytest.mark.parametrize(("told", "days"), [(0, 0), (-3, 0), (99_999, 3650)])
def test_overdue_days_stay_within_our_bounds(told: int, days: int) -> None:
    assert mapping.credit(wire(CREDIT, daysOverdue=told), "USD").overdue_days == days


@given(st.decimals(min_value=-(10**12), max_value=10**12, places=2), st.decimals(min_value=0, max_value=10**12, places=2))
def test_exposure_loses_no_cent(balance: Decimal, unbilled: Decimal) -> None:
    found = mapping.credit(wire(CREDIT, balance=balance, unbilledOrders=unbilled), "USD")

    assert found.exposure.amount == balance + unbilled


def test_an_item_is_gathered_from_its_rows_each_place_counted_once() -> None:
    rows = [
        wire(ITEM, symbol=symbol, quantity=least, unitprice=price, location=place, quantityavailable=stock)
        for symbol, least, price in (("EUR", "0", "84.9"), ("USD", "0", "89.5"), ("USD", "100", "80"))
        for place, stock in (("1", "500"), ("2", "0.5"), ("3", None))
    ]

    (found,) = mapping.items(rows, "USD").items

    assert (found.id, found.code, found.name, found.active) == ("2001", "SENSOR-X1", "Sensor X1", True)
    assert (found.available, found.unit_price) == (Decimal("500.5"), Decimal("89.5"))


def test_stock_does_not_apply_to_services_and_is_none_of_an_item_that_lies_nowhere() -> None:
    rows = [wire(ITEM, id="1", itemid="S", itemtype="Service"), wire(ITEM, id="2", itemid="G")]

    service, goods = mapping.items(rows, "USD").items

    assert (service.available, goods.available) == (None, Decimal(0))
    assert service.unit_price is None


def test_an_item_without_a_display_name_is_called_by_its_code() -> None:
    assert mapping.items([wire(ITEM, displayname=None, isinactive="T")], "USD").items[0].name == "SENSOR-X1"


@pytest.mark.parametrize(
    ("locks", "is_open"),
    [({}, True), ({"closed": "T"}, False), ({"alllocked": "T"}, False), ({"arlocked": "T"}, False), ({"isposting": "F"}, False)],
)
def test_a_period_is_open_while_receivables_may_be_posted(locks: dict[str, str], is_open: bool) -> None:
    found = mapping.period(wire(PERIOD, **locks), FEBRUARY)

    assert found.open is is_open
    assert (found.start, found.end) == (date(2026, 2, 1), date(2026, 3, 1))


@pytest.mark.parametrize(
    "dates",
    [{"startdate": "1/2/2026", "enddate": "28/2/2026"}, {"enddate": "2/13/2026"}, {"startdate": "2026-02-01"}, {"enddate": "x"}],
)
def test_a_date_in_another_order_is_not_guessed(dates: dict[str, str]) -> None:
    with pytest.raises(BadPlatformAnswer):
        mapping.period(wire(PERIOD, **dates), FEBRUARY)


@pytest.mark.parametrize(
    ("native", "status"),
    [
        ("A", "pending"), ("B", "pending"), ("C", "cancelled"), ("D", "in_progress"),
        ("E", "in_progress"), ("F", "in_progress"), ("G", "completed"), ("H", "cancelled"),
    ],
)  # fmt: skip
def test_every_status_of_an_order_has_one_meaning(native: str, status: str) -> None:
    found = mapping.sales_order(wire(ORDER, orderStatus={"id": native}), "USD")

    assert (found.status, found.number, found.customer) == (status, "SO1001", "1001")
    assert found.total == Money.of("12000", "USD")


def test_an_order_that_was_not_made_under_a_key_is_none_of_ours() -> None:
    with pytest.raises(Refused) as refusal:
        mapping.sales_order(wire(ORDER, externalId=None), "USD")

    assert "external id" in (refusal.value.fix or "")


LINE = {"line": 1, "isClosed": False, "quantity": Decimal(2), "quantityBilled": Decimal(0), "quantityFulfilled": Decimal(0)}


def test_the_lines_still_open_are_the_ones_to_close() -> None:
    items = [LINE, {**LINE, "line": 2, "isClosed": True}, {"line": 3}]

    assert mapping.closable(wire(ORDER, item={"items": items})) == [1, 3]


@pytest.mark.parametrize("done", ["quantityBilled", "quantityFulfilled"])
def test_an_order_of_which_anything_is_done_cannot_be_closed_as_if_it_were_not(done: str) -> None:
    with pytest.raises(Refused) as refusal:
        mapping.closable(wire(ORDER, item={"items": [LINE, {**LINE, done: Decimal("0.5")}]}))

    assert refusal.value.fix


READ: list[tuple[Callable[..., Any], dict[str, Any], Any]] = [
    (mapping.customer, CUSTOMER, "USD"),
    (mapping.credit, CREDIT, "USD"),
    (lambda row, currency: mapping.items([row], currency), ITEM, "USD"),
    (mapping.period, PERIOD, FEBRUARY),
    (mapping.sales_order, ORDER, "USD"),
]
OPTIONAL = {"externalId", "entityId", "companyName", "isPerson", "creditLimit", "displayname"}


@pytest.mark.parametrize(("make", "of", "more"), READ)
@pytest.mark.parametrize("odd", [None, "", 7, 1.5, True, [], {}, {"id": 7}, "x" * 300, Decimal("1E+30"), "1E400"], ids=repr)
def test_whatever_a_field_holds_is_understood_or_called_odd_and_breaks_nothing(
    make: Callable[..., Any], of: dict[str, Any], more: Any, odd: Any
) -> None:
    for name in of:
        with suppress(BadPlatformAnswer, Refused):
            make(wire(of, **{name: odd}), more)


@pytest.mark.parametrize(("make", "of", "more"), READ)
def test_every_field_that_is_needed_is_missed(make: Callable[..., Any], of: dict[str, Any], more: Any) -> None:
    for name in set(of) - OPTIONAL:
        with pytest.raises(BadPlatformAnswer, match=name):
            make(wire(of, **{name: None}), more)
