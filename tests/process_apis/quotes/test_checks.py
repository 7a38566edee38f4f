"""Every check says ok where all is well, and elsewhere names the field, the reason and the fix."""

from datetime import date, timedelta
from decimal import Decimal

import pytest

from contracts.models.master_data import NewMapping
from contracts.models.money import Money
from contracts.models.reference import Reference
from contracts.models.sales import QuoteLine
from contracts.models.validation import Verdict
from process_apis.quotes.checks import QUESTIONS
from tests.process_apis.platforms.crm import account_id
from tests.process_apis.platforms.world import TODAY, quote

CHECKS = [question.name for question in QUESTIONS]


def line(sku, quantity=1, unit_price="1200.00", id="L1"):
    return QuoteLine(id=id, sku=sku, quantity=quantity, unit_price=Decimal(unit_price))


async def failed(decisions, number="Q-1003"):
    """The checks that are not ok, by name: what each found."""
    validation = await decisions.validate_quote(quote(number))
    assert all(check.verdict is not Verdict.COULD_NOT_CHECK for check in validation.checks)
    return {check.name: [(f.field, f.reason, f.fix) for f in check.findings] for check in validation.checks if check.findings}


async def one(decisions, name, number="Q-1003"):
    """The one finding of the one check that is not ok."""
    found = await failed(decisions, number)
    assert list(found) == [name]
    [finding] = found[name]
    return finding


async def mapped(world, kind, source, target, connection="any"):
    new = NewMapping(kind=kind, source=source, target=target, connection=connection, valid_from=date(2026, 2, 1))
    await world.book.mappings.add(new, "ann")


async def test_a_quote_in_good_standing_passes_every_check(decisions):
    validation = await decisions.validate_quote(quote("Q-1003"))

    assert [(check.name, check.verdict) for check in validation.checks] == [(name, Verdict.OK) for name in CHECKS]
    assert {check.system for check in validation.checks} == {"salesforce", "netsuite", "stripe"}


async def test_a_draft_is_not_approved(decisions):
    field, reason, fix = await one(decisions, "quote_approved", "Q-1009")

    assert (field, reason) == ("quote.status", "the quote is Draft")
    assert "approved in the CRM" in fix


async def test_an_expired_offer_names_its_day(decisions):
    field, reason, fix = await one(decisions, "contract_not_expired", "Q-1007")

    assert (field, reason) == ("quote.expires_on", "the offer expired on 2026-06-05")
    assert "later expiry date" in fix


@pytest.mark.parametrize("expires", [None, TODAY.date()])
async def test_an_offer_is_good_through_its_last_day_and_without_one(decisions, world, expires):
    world.change_quote("Q-1003", expires_on=expires)

    assert await failed(decisions) == {}


async def test_an_inactive_account_is_refused_in_the_crm_and_in_the_books(decisions):
    found = await failed(decisions, "Q-1005")

    assert list(found) == ["account_active", "customer_active", "billing_customer_active"]
    assert [field for [(field, _, _)] in found.values()] == ["account.active", "quote.account", "quote.account"]
    assert "ACC-1005 is inactive in the ERP" in found["customer_active"][0][1]
    assert "blocked in billing" in found["billing_customer_active"][0][1]


async def test_a_parent_that_exists_is_fine_and_one_that_does_not_is_named(decisions, world):
    parent = Reference(connection="salesforce", kind="account", id=account_id("ACC-1000"))
    world.change_account("ACC-1003", parent=parent)
    assert await failed(decisions) == {}
    world.change_account("ACC-1003", parent=parent.model_copy(update={"id": "0019999"}))

    field, reason, fix = await one(decisions, "account_active")

    assert (field, reason) == ("account.parent", "the parent account 0019999 does not exist")
    assert "parent" in fix


async def test_a_customer_not_onboarded_is_refused_by_every_check_that_needs_it(decisions):
    found = await failed(decisions, "Q-1001")

    assert list(found) == ["customer_active", "billing_customer_active", "credit"]
    for [(field, reason, fix)] in found.values():
        assert (field, reason.startswith("the customer ACC-1001 is not known in")) == ("quote.account", True)
        assert fix == "onboard the customer first: POST /process/onboarding/v1/onboardings"


async def test_exposure_over_the_limit_names_both(decisions):
    field, reason, fix = await one(decisions, "credit", "Q-1004")

    assert field == "quote.total"
    assert reason == "exposure would be 29250.02 USD, the credit limit is 10000.00 USD"
    assert "higher limit" in fix


@pytest.mark.parametrize(("limit", "passes"), [("19780.02", True), ("19780.01", False)])
async def test_the_limit_may_be_used_to_the_last_cent(decisions, world, limit, passes):
    customer = world.erp.of("ACC-1003")
    standing = world.erp.credit[customer.reference.id]
    world.erp.credit[customer.reference.id] = standing.model_copy(update={"limit": Money.of(limit, "USD")})

    assert ("credit" not in await failed(decisions)) is passes


async def test_a_credit_hold_refuses_even_without_a_limit(decisions, world):
    id = world.erp.of("ACC-1003").reference.id
    world.erp.credit[id] = world.erp.credit[id].model_copy(update={"limit": None, "on_hold": True})

    field, reason, fix = await one(decisions, "credit")

    assert (field, reason, fix) == ("quote.account", "finance has put the customer on credit hold", "ask finance")


@pytest.mark.parametrize("kept", ["limit", "exposure"])
async def test_credit_in_another_currency_is_not_taken_for_granted(decisions, world, kept):
    id = world.erp.of("ACC-1003").reference.id
    world.erp.credit[id] = world.erp.credit[id].model_copy(update={kept: Money.of("90000", "EUR")})

    field, reason, _ = await one(decisions, "credit")

    assert field == "quote.currency"
    assert "the quote is in USD" in reason


async def test_an_unmapped_item_names_the_mapping_to_add(decisions):
    found = await failed(decisions, "Q-1008")

    assert list(found) == ["items", "billing_rates"]
    assert [(field, reason) for field, reason, _ in found["items"]] == [
        ("quote.lines[0].sku", "LEGACY-ADDON has no charge kind"), ("quote.lines[0].sku", "LEGACY-ADDON has no item in the ERP"),
    ]  # fmt: skip
    assert found["billing_rates"][0][:2] == ("quote.lines[0].sku", "LEGACY-ADDON/USD has no price in billing")
    assert all("POST /ops/master-data/v1/mappings" in fix for findings in found.values() for _, _, fix in findings)


async def test_an_item_that_is_inactive_or_gone_is_named_as_the_erp_calls_it(decisions, world):
    world.erp.items["PLATFORM-ANNUAL"] = (world.erp.items["PLATFORM-ANNUAL"][0], False)
    del world.erp.items["USAGE-API"]

    found = (await failed(decisions))["items"]

    assert [(field, reason) for field, reason, _ in found] == [
        ("quote.lines[0].sku", "the ERP has no active item PLATFORM-ANNUAL"),
        ("quote.lines[1].sku", "the ERP has no active item USAGE-API"),
    ]


async def test_a_quote_without_lines_is_nothing_to_order(decisions, world):
    world.change_quote("Q-1003", lines=[])

    field, reason, fix = await one(decisions, "items")

    assert (field, reason, fix) == ("quote.lines", "the quote has no lines", "add what is sold to the quote")


async def test_stock_that_does_not_reach_names_wanted_and_available(decisions):
    field, reason, fix = await one(decisions, "stock", "Q-1006")

    assert (field, reason) == ("quote.lines[0].quantity", "5 of SENSOR-X9 wanted, 0 available")
    assert "wait for stock" in fix


@pytest.mark.parametrize(("second", "passes"), [(100, True), (101, False)])
async def test_stock_is_counted_over_all_lines_of_an_item(decisions, world, second, passes):
    lines = [line("SENSOR-X1", 400, "89.50"), line("SENSOR-X1", second, "89.50", id="L2")]
    world.change_quote("Q-1003", lines=lines, total=Money.of(1, "USD"))

    found = await failed(decisions)

    assert [field for field, _, _ in found.get("stock", [])] == ([] if passes else ["quote.lines[1].quantity"])


async def test_an_old_price_names_the_current_one(decisions):
    field, reason, fix = await one(decisions, "prices", "Q-1011")

    assert (field, reason) == ("quote.lines[0].unit_price", "PLAT-ANNUAL is quoted at 990.00, its price is 1200.00")
    assert fix == "quote the current price again"


async def test_a_bundle_at_its_own_price_passes(decisions):
    assert await failed(decisions, "Q-1010") == {}


async def test_a_bundle_whose_parts_have_no_prices_cannot_be_shared_out(decisions, world):
    product, active = world.erp.items["SERVICE-ONBOARDING"]
    world.erp.items["SERVICE-ONBOARDING"] = (type(product)(**{**vars(product), "prices": {}}), active)

    found = (await failed(decisions, "Q-1010"))["prices"]

    assert [reason for _, reason, _ in found] == [
        "the share of PLAT-ANNUAL in BUNDLE-START is unknown", "the share of ONBOARD-SVC in BUNDLE-START is unknown",
    ]  # fmt: skip
    assert {fix for _, _, fix in found} == {"set base prices of the parts in the ERP"}


@pytest.mark.parametrize("contents", [None, "PLAT-ANNUAL", "PLAT-ANNUAL:0", "PLAT-ANNUAL:1, PLAT-ANNUAL:2"])
async def test_a_bundle_without_readable_contents_names_the_mapping(decisions, world, contents):
    await mapped(world, "charge", "BUNDLE-NEW", "bundle")
    if contents is not None:
        await mapped(world, "bundle", "BUNDLE-NEW", contents)
    world.change_quote("Q-1003", lines=[line("BUNDLE-NEW", 1, "10.00")])

    found = await failed(decisions)

    assert {field for findings in found.values() for field, _, _ in findings} == {"quote.lines"}
    assert "the contents of the bundle BUNDLE-NEW are" in found["items"][0][1]
    assert "add the mapping bundle 'BUNDLE-NEW'" in found["items"][0][2]


async def test_a_price_that_billing_lost_is_named_by_its_key(decisions, world):
    del world.billing.prices["PLAT-ANNUAL/usd"]

    field, reason, fix = await one(decisions, "billing_rates")

    assert (field, reason) == ("quote.lines[0].sku", "billing has no price under 'PLAT-ANNUAL/usd'")
    assert "create the price in billing" in fix


async def test_a_price_in_another_currency_does_not_rate_a_line(decisions, world):
    await mapped(world, "price", "PLAT-ANNUAL/USD", "PLAT-ANNUAL/eur", "stripe")

    field, reason, _ = await one(decisions, "billing_rates")

    assert (field, reason) == ("quote.lines[0].sku", "'PLAT-ANNUAL/eur' is a EUR price")


@pytest.mark.parametrize(
    ("sku", "key", "reason"),
    [
        ("API-USAGE", "PLAT-ANNUAL/usd", "is a recurring price, the charge of API-USAGE is monthly_usage"),
        ("PLAT-ANNUAL", "API-USAGE/usd", "is a metered price, the charge of PLAT-ANNUAL is annual"),
        ("PLAT-ANNUAL", "ONBOARD-SVC/usd", "is a one-time price, the charge of PLAT-ANNUAL is annual"),
        ("ONBOARD-SVC", "PLAT-ANNUAL/usd", "is a recurring price, the charge of ONBOARD-SVC is service"),
        ("SENSOR-X1", "API-USAGE/usd", "is a metered price, the charge of SENSOR-X1 is goods"),
    ],
)
async def test_a_price_in_another_rhythm_does_not_rate_a_line(decisions, world, sku, key, reason):
    await mapped(world, "price", f"{sku}/USD", key, "stripe")

    assert (await one(decisions, "billing_rates"))[1] == f"{key!r} {reason}"


async def test_a_tax_code_that_is_not_mapped_is_named_with_the_mapping_to_add(decisions, world):
    address = world.crm.accounts[account_id("ACC-1003")].address
    world.change_account("ACC-1003", address=address.model_copy(update={"country": "CA"}))

    field, reason, fix = await one(decisions, "tax_codes")

    assert (field, reason) == ("account.address.country", "no tax code for US01/CA")
    assert "add the mapping tax_code 'US01/CA'" in fix


@pytest.mark.parametrize("state", ["inactive", "missing"])
async def test_a_tax_code_the_erp_does_not_use_is_named(decisions, world, state):
    code = world.erp.tax_codes.pop("US-CA")
    if state == "inactive":
        world.erp.tax_codes["US-CA"] = code.model_copy(update={"active": False})

    field, reason, _ = await one(decisions, "tax_codes")

    assert (field, reason) == ("account.address.country", "the ERP has no active tax code 'US-CA'")


async def test_tax_is_previewed_on_what_is_fixed(decisions):
    validation = await decisions.validate_quote(quote("Q-1003"))

    assert validation.tax is not None
    assert validation.tax.net == Money.of("18580.00", "USD")


async def test_usage_alone_has_no_tax_to_preview_and_passes(decisions, world):
    world.change_quote("Q-1003", lines=[line("API-USAGE", 1, "0.02")])
    validation = await decisions.validate_quote(quote("Q-1003"))

    assert (validation.verdict, validation.tax) == (Verdict.OK, None)
    assert world.traffic.calls["billing.preview_tax"] == 0


async def test_an_account_without_address_has_no_legal_entity(decisions, world):
    world.change_account("ACC-1003", address=None)

    found = await failed(decisions)

    assert {finding for findings in found.values() for finding in findings} == {
        ("account.address", "the account ACC-1003 has no billing address", "enter the billing address of the account in the CRM")
    }


async def test_a_country_nobody_sells_to_names_the_route_to_add(decisions, world):
    address = world.crm.accounts[account_id("ACC-1003")].address
    world.change_account("ACC-1003", address=address.model_copy(update={"country": "JP"}))

    field, reason, fix = (await failed(decisions))["legal_entity"][0]

    assert (field, reason) == ("address.country", "no legal entity sells to JP")
    assert "[[routes]]" in fix


async def test_an_inactive_legal_entity_does_not_sell(decisions, world):
    world.erp.entities["1"] = world.erp.entities["1"].model_copy(update={"active": False})

    field, reason, fix = await one(decisions, "legal_entity")

    assert (field, reason) == ("quote.account", "Lumen Works Inc is inactive")
    assert "[[routes]]" in fix


async def test_a_quote_in_a_currency_its_entity_does_not_sell_in_is_refused(decisions, world):
    total = world.quote("Q-1003").total
    world.change_quote("Q-1003", currency="EUR", total=Money.of(total.amount, "EUR"))

    field, reason, fix = (await failed(decisions))["legal_entity"][0]

    assert (field, reason, fix) == ("quote.currency", "Lumen Works Inc sells in USD, the quote is in EUR", "quote in USD")


async def test_a_closed_period_and_one_not_set_up_are_told_apart(decisions, world):
    world.clock.pass_(-timedelta(days=60))
    world.change_quote("Q-1003", expires_on=None)
    closed = await one(decisions, "period")
    world.erp.periods.clear()
    missing = await one(decisions, "period")

    assert [closed[1], missing[1]] == [
        "the accounting period of 2026-04-16 is closed", "the accounting period of 2026-04-16 is not set up",
    ]  # fmt: skip
    assert closed[2] == "have finance open the period in the ERP"
