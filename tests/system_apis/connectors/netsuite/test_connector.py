from decimal import Decimal

import pytest

from contracts.models.money import Money
from contracts.models.party import CreditTerms, CustomerStatusChange
from contracts.ports.effects import Safety
from contracts.ports.system import Erp
from kernel.problem import Conflict, NotFound, OutcomeUnknown, Refused
from system_apis.connector import Connector
from tests.conformance.calls import new_customer
from tests.conformance.platform import ErpFacts
from tests.conformance.sandboxed import Sandbox
from tests.system_apis.connectors.netsuite.conftest import Directly, Scripted

GONE = {"o:errorDetails": [{"detail": "The record instance does not exist.", "o:errorCode": "NONEXISTENT_ID"}]}
LIMIT = {"o:errorDetails": [{"detail": "Concurrent request limit exceeded.", "o:errorCode": "CONCURRENCY_LIMIT_EXCEEDED"}]}
DOLLAR = {"items": [{"symbol": "USD", "id": "1"}], "hasMore": False}
TERMS = {"items": [{"id": "2"}], "hasMore": False}
ACME = {
    "id": "1001", "externalId": "ACC-7001", "entityId": "CUST7", "companyName": "Acme", "isPerson": False,
    "isInactive": False, "currency": {"id": "1"},
}  # fmt: skip


async def known(erp: Erp, facts: ErpFacts) -> str:
    found = await erp.find_customer(facts.customer_key)
    assert found is not None
    return found.reference.id


async def test_creates_are_upserts_seen_at_once(connector: Connector) -> None:
    for capability in connector.capabilities.values():
        assert (capability.safety, capability.remembers_failures, capability.look_up_lag) == (Safety.UPSERT, False, 0)


async def test_a_customer_is_kept_with_all_that_we_know(erp: Erp, facts: ErpFacts, sandbox: Sandbox) -> None:
    await erp.create_customer(new_customer(facts), "key")

    (kept,) = [one for one in sandbox.records("customer") if one.get("externalId") == "ACC-7001"]

    assert (kept["companyName"], kept["email"], kept["defaultTaxReg"]) == (
        "Conformance Testing Inc",
        "ap@conformance.example",
        "12-3456789",
    )
    assert (kept["subsidiary"]["id"], kept["terms"]["refName"], kept["creditLimit"]) == ("1", "Net 30", "25000.00")
    assert [one["addressBookAddress"]["city"] for one in kept["addressBook"]["items"]] == ["San Francisco"]


async def test_an_existing_customer_is_answered_and_left_as_it_is(erp: Erp, facts: ErpFacts, sandbox: Sandbox) -> None:
    before = sandbox.records("customer")

    found = await erp.create_customer(new_customer(facts, facts.customer_key), "key")

    assert found.legal_name == "Harbor Freightways"
    assert sandbox.records("customer") == before


async def test_a_key_in_another_case_overwrites_nobody(erp: Erp, facts: ErpFacts, sandbox: Sandbox) -> None:
    before = sandbox.records("customer")

    assert await erp.find_customer("acc-1003") is None
    with pytest.raises(Conflict, match="in case only"):
        await erp.create_customer(new_customer(facts, "acc-1003"), "key")
    assert sandbox.records("customer") == before


async def test_a_key_with_a_colon_is_one_key(erp: Erp, facts: ErpFacts) -> None:
    made = await erp.create_customer(new_customer(facts, "crm.ACC:7"), "key")

    assert made.key == "crm.ACC:7"
    assert await erp.find_customer("crm.ACC:7") == made


@pytest.mark.parametrize("id", ["eid:ACC-1003", "1001?q=1", "١٢", "1001\n", "1" * 19])
async def test_what_is_no_internal_id_is_never_asked_for(erp: Erp, sandbox: Sandbox, id: str) -> None:
    calls = [erp.get_customer, erp.get_credit, erp.get_sales_order, erp.cancel_sales_order, erp.get_legal_entity]
    for call in calls:
        with pytest.raises(NotFound):
            await call(id)
    with pytest.raises(NotFound):
        await erp.set_customer_status(id, CustomerStatusChange(status="blocked"))

    assert sandbox.requests() == []


async def test_items_cost_one_request_however_many(erp: Erp, sandbox: Sandbox) -> None:
    await erp.find_tax_code("US-CA")
    before = len(sandbox.requests())
    codes = ["PLATFORM-ANNUAL", "USAGE-API", "SERVICE-ONBOARDING", "SENSOR-X1", "SENSOR-X9", "SENSOR-X1", "x' OR '1'='1"]

    found = {one.code: one for one in (await erp.list_items(codes, "EUR")).items}

    assert len(sandbox.requests()) == before + 1
    assert {code: one.unit_price for code, one in found.items()} == {
        "PLATFORM-ANNUAL": Decimal(1100),
        "USAGE-API": Decimal("0.02"),
        "SERVICE-ONBOARDING": Decimal(140),
        "SENSOR-X1": Decimal("84.9"),
        "SENSOR-X9": Decimal(239),
    }
    assert (found["SENSOR-X9"].available, found["USAGE-API"].available) == (Decimal(0), None)


async def test_an_item_without_a_price_in_the_currency_is_still_an_item(erp: Erp) -> None:
    (found,) = (await erp.list_items(["SENSOR-X1"], "GBP")).items

    assert (found.unit_price, found.available) == (None, Decimal(500))


async def test_no_codes_are_no_question(erp: Erp, sandbox: Sandbox) -> None:
    assert (await erp.list_items([], "USD")).items == []
    assert sandbox.requests() == []


async def test_the_names_of_currencies_and_terms_are_asked_for_once(erp: Erp, facts: ErpFacts, sandbox: Sandbox) -> None:
    for n in range(3):
        await erp.create_customer(new_customer(facts, f"ACC-80{n}"), "key")

    queries = [one for one in sandbox.requests() if one["path"].endswith("/suiteql")]
    assert len(queries) == 3  # the currency by its code, the terms by their days, the currency by its id


async def test_both_legal_entities_have_their_own_currency(erp: Erp) -> None:
    found = [await erp.get_legal_entity(id) for id in ("1", "2")]

    assert [(one.country, one.currency) for one in found] == [("US", "USD"), ("DE", "EUR")]


async def test_terms_that_netsuite_lacks_are_refused_before_anything_is_written(
    erp: Erp, facts: ErpFacts, sandbox: Sandbox
) -> None:
    odd = CreditTerms(payment_days=37, credit_limit=Money.of("1", "USD"))
    customer = await known(erp, facts)
    with pytest.raises(Refused) as refusal:
        await erp.set_credit_terms(customer, odd)
    with pytest.raises(Refused):
        await erp.create_customer(new_customer(facts).model_copy(update={"terms": odd}), "key")

    assert refusal.value.field == "terms.payment_days"
    assert {one["method"] for one in sandbox.requests()} == {"GET", "POST"}


async def test_a_limit_in_another_currency_is_refused(erp: Erp, facts: ErpFacts) -> None:
    euros = CreditTerms(payment_days=30, credit_limit=Money.of("1", "EUR"))
    customer = await known(erp, facts)
    for refused in (
        erp.set_credit_terms(customer, euros),
        erp.create_customer(new_customer(facts).model_copy(update={"terms": euros}), "key"),
    ):
        with pytest.raises(Refused, match="currency"):
            await refused


async def test_the_seeded_debtor_is_over_its_limit_and_late(erp: Erp) -> None:
    found = await erp.find_customer("ACC-1004")
    assert found is not None

    credit = await erp.get_credit(found.reference.id)

    assert (credit.limit, credit.exposure) == (Money.of("10000", "USD"), Money.of("14250", "USD"))
    assert (credit.overdue_days, credit.on_hold) == (47, False)


async def test_a_hold_set_by_a_person_is_seen(erp: Erp, facts: ErpFacts, directly: Directly) -> None:
    customer = await known(erp, facts)
    directly("PATCH", f"/customer/{customer}", {"creditHoldOverride": {"id": "ON"}})

    assert (await erp.get_credit(customer)).on_hold


async def test_what_fails_after_the_write_leaves_it_in_doubt(told: Erp, scripted: Scripted, facts: ErpFacts) -> None:
    """A limit means that nothing was done, but here something was."""
    for status, body in ((404, GONE), (200, DOLLAR), (200, TERMS), (204, b""), (429, LIMIT)):
        scripted.say(status, body)

    with pytest.raises(OutcomeUnknown):
        await told.create_customer(new_customer(facts), "key")


async def test_a_record_that_does_not_show_after_the_write_is_in_doubt(told: Erp, scripted: Scripted, facts: ErpFacts) -> None:
    for status, body in ((404, GONE), (200, DOLLAR), (200, TERMS), (204, b""), (404, GONE)):
        scripted.say(status, body)

    with pytest.raises(OutcomeUnknown):
        await told.create_customer(new_customer(facts), "key")


REFUSED = {"o:errorDetails": [{"detail": "This entity already exists.", "o:errorCode": "USER_ERROR"}]}


async def test_the_loser_of_two_first_creates_answers_what_the_winner_made(
    told: Erp, scripted: Scripted, facts: ErpFacts
) -> None:
    for status, body in ((404, GONE), (200, DOLLAR), (200, TERMS), (400, REFUSED), (200, ACME), (200, ACME), (200, DOLLAR)):
        scripted.say(status, body)

    found = await told.create_customer(new_customer(facts), "key")

    assert found.reference.id == "1001"


async def test_a_refusal_of_what_is_not_there_stays_a_refusal(told: Erp, scripted: Scripted, facts: ErpFacts) -> None:
    for status, body in ((404, GONE), (200, DOLLAR), (200, TERMS), (400, REFUSED), (404, GONE)):
        scripted.say(status, body)

    with pytest.raises(Refused, match="already exists"):
        await told.create_customer(new_customer(facts), "key")


async def test_a_day_in_two_months_is_not_chosen_between(told: Erp, scripted: Scripted, facts: ErpFacts) -> None:
    locks = {"closed": "F", "alllocked": "F", "arlocked": "F", "isposting": "T"}
    month = {"id": "1", "periodname": "A", "startdate": "1/1/2000", "enddate": "12/31/2099", **locks}
    scripted.say(200, {"items": [month, {**month, "id": "2", "periodname": "B"}], "hasMore": False})

    with pytest.raises(Conflict, match="A, B"):
        await told.find_period(facts.open_day)
