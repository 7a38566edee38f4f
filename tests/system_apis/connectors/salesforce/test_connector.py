from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs

import httpx
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from contracts.models.money import Money
from contracts.models.sales import References
from contracts.ports.system import Crm
from kernel.problem import NotFound, PlatformDown, Refused
from system_apis.connectors.salesforce.ids import record_id
from tests.conformance.sandboxed import Sandbox
from tests.system_apis.connectors.salesforce.conftest import ROOT, TOKEN, Connecting, Scripted
from tests.system_apis.connectors.salesforce.test_mapping import ACCOUNT, QUOTE

NO_CURRENCY = [{"errorCode": "INVALID_FIELD", "message": "No such column 'CurrencyIsoCode' on entity 'Account'."}]
REFERENCES = References(order_key="ORD-1", erp_order_number="SO-1", billing_subscription_id="sub_1")


@pytest.fixture
def crm(connecting: Connecting, sandbox: Sandbox) -> Any:
    return connecting(sandbox.url).ports[Crm]


def one(sandbox: Sandbox, kind: str, **which: str) -> dict[str, Any]:
    ((name, value),) = which.items()
    return next(record for record in sandbox.records(kind) if record[name] == value)


def asked(sandbox: Sandbox) -> list[tuple[str, str]]:
    return [(call["method"], call["path"]) for call in sandbox.requests() if call["path"] != TOKEN]


def somebody(sandbox: Sandbox, method: str, path: str, **body: Any) -> Any:
    """What somebody else does in the same org."""
    form = {"grant_type": "client_credentials", "client_id": "sandbox-salesforce", "client_secret": "sandbox-secret"}
    token = httpx.post(sandbox.url + TOKEN, data=form, trust_env=False).json()["access_token"]
    headers = {"Authorization": f"Bearer {token}"}
    answer = httpx.request(method, f"{sandbox.url}{ROOT}{path}", json=body, headers=headers, trust_env=False)
    answer.raise_for_status()
    return answer.json() if answer.content else None


async def test_an_account_costs_one_call(crm: Crm, sandbox: Sandbox) -> None:
    known = one(sandbox, "Account", AccountNumber="ACC-1001")

    account = await crm.get_account(known["Id"])

    assert (account.number, account.name, account.currency, account.active) == ("ACC-1001", "Northwind Devices Inc", "USD", True)
    assert (account.email, account.tax_id) == ("ap@northwind.example", "12-3456789")
    assert account.parent is not None
    assert account.parent.id == one(sandbox, "Account", AccountNumber="ACC-1000")["Id"]
    assert asked(sandbox) == [("GET", f"{ROOT}/sobjects/Account/{known['Id']}")]


async def test_a_quote_costs_one_query_with_its_lines(crm: Crm, sandbox: Sandbox) -> None:
    known = one(sandbox, "Quote", QuoteNumber="Q-1002")

    quote = await crm.get_quote(known["Id"])

    assert [(line.sku, line.quantity, line.unit_price) for line in quote.lines] == [
        ("PLAT-ANNUAL", 5, Decimal("1100.00")), ("API-USAGE", 1, Decimal("0.02")), ("ONBOARD-SVC", 8, Decimal("140.00")),
    ]  # fmt: skip
    assert (quote.total, quote.contract_months, quote.approved) == (Money.of("6620.02", "EUR"), 36, True)
    assert quote.expires_on is not None
    assert quote.contract_start is not None
    assert asked(sandbox) == [("GET", f"{ROOT}/query")]


async def test_a_short_id_is_the_same_record(crm: Crm, sandbox: Sandbox) -> None:
    known = one(sandbox, "Account", AccountNumber="ACC-1001")["Id"]

    assert (await crm.get_account(known[:15])).reference.id == known


async def test_every_quote_of_the_seeded_world_is_understood(crm: Crm, sandbox: Sandbox) -> None:
    for record in sandbox.records("Quote"):
        quote = await crm.get_quote(record["Id"])

        assert quote.total.amount == Decimal(record["GrandTotal"]) == sum(line.quantity * line.unit_price for line in quote.lines)
        assert quote.approved is (record["Status"] == "Approved")


async def test_an_account_without_address_or_number_is_understood(crm: Crm, sandbox: Sandbox) -> None:
    known = one(sandbox, "Account", AccountNumber="ACC-1006")["Id"]
    somebody(sandbox, "PATCH", f"/sobjects/Account/{known}", AccountNumber=None)

    account = await crm.get_account(known)

    assert (account.address, account.number) == (None, known)


async def test_a_discount_of_the_line_is_in_its_unit_price(crm: Crm, sandbox: Sandbox) -> None:
    known = one(sandbox, "Quote", QuoteNumber="Q-1011")["Id"]
    line = one(sandbox, "QuoteLineItem", QuoteId=known)["Id"]
    somebody(sandbox, "PATCH", f"/sobjects/QuoteLineItem/{line}", Discount=33.3, Quantity=7)

    quote = await crm.get_quote(known)

    assert Money.of(round(quote.lines[0].unit_price * 7, 2), "USD") == quote.total == Money.of("4622.31", "USD")


async def test_quotes_and_opportunities_come_newest_first(crm: Crm, sandbox: Sandbox) -> None:
    account = one(sandbox, "Account", AccountNumber="ACC-1003")["Id"]

    quotes, deals = await crm.list_quotes(account), await crm.list_opportunities(account)

    assert [quote.number for quote in quotes.items] == ["Q-1011", "Q-1009", "Q-1008", "Q-1007", "Q-1006", "Q-1003"]
    assert [deal.reference for deal in deals.items] == [quote.opportunity for quote in quotes.items]
    assert [deal.amount for deal in deals.items] == [quote.total for quote in quotes.items]
    assert asked(sandbox) == [("GET", f"{ROOT}/query")] * 2


async def test_nobody_has_no_quotes(crm: Crm) -> None:
    absent = record_id("0015g0000099999") or ""

    assert (await crm.list_quotes(absent)).items == []
    assert (await crm.list_opportunities(absent)).items == []


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(given_id=st.one_of(st.text(), st.sampled_from(["001' OR Id != '", "001D000000IqhSLIAA", "..", "001D000000IqhSL/x"])))
async def test_what_is_no_id_is_not_found_without_a_call(crm: Crm, sandbox: Sandbox, given_id: str) -> None:
    assume(record_id(given_id) is None)
    before = len(sandbox.requests())

    for ask in (
        crm.get_account(given_id), crm.get_quote(given_id), crm.list_quotes(given_id), crm.list_opportunities(given_id),
        crm.write_account_references(given_id, References(erp_customer_id="1")), crm.write_quote_references(given_id, REFERENCES),
    ):  # fmt: skip
        with pytest.raises(NotFound):
            await ask
    assert len(sandbox.requests()) == before


async def test_an_id_of_another_kind_of_record_is_not_found(crm: Crm, sandbox: Sandbox) -> None:
    account, quote = sandbox.records("Account")[0]["Id"], sandbox.records("Quote")[0]["Id"]

    for ask in (
        crm.get_account(quote),
        crm.get_quote(account),
        crm.write_account_references(quote, References(erp_customer_id="1")),
    ):
        with pytest.raises(NotFound):
            await ask


async def test_quote_references_are_on_the_quote_and_on_its_opportunity(crm: Crm, sandbox: Sandbox) -> None:
    known = one(sandbox, "Quote", QuoteNumber="Q-1001")

    await crm.write_quote_references(known["Id"], REFERENCES)

    for kind, id in (("Quote", known["Id"]), ("Opportunity", known["OpportunityId"])):
        record = one(sandbox, kind, Id=id)
        assert (record["Gateway_Order_Id__c"], record["ERP_Order_Number__c"]) == ("ORD-1", "SO-1")
        assert record["Billing_Subscription_Id__c"] == "sub_1"
    assert [call for call in asked(sandbox) if call[0] != "GET"] == [("POST", f"{ROOT}/composite")]


async def test_where_one_of_the_two_is_refused_neither_is_written(connecting: Connecting, sandbox: Sandbox) -> None:
    crm = connecting(sandbox.url, order_key_field="Contract_Start__c").ports[Crm]  # quotes have this field, opportunities do not
    known = one(sandbox, "Quote", QuoteNumber="Q-1001")

    with pytest.raises(Refused, match="Contract_Start__c"):
        await crm.write_quote_references(known["Id"], References(order_key="2031-01-01", erp_order_number="SO-1"))

    assert one(sandbox, "Quote", QuoteNumber="Q-1001") == known


async def test_absent_references_are_not_sent(scripted: Scripted, connecting: Connecting) -> None:
    scripted.say(204, b"")

    await connecting(scripted.url).ports[Crm].write_account_references(ACCOUNT["Id"], References(billing_customer_id="cus_1"))

    assert [call.body for call in scripted.calls] == ['{"Billing_Account_Id__c":"cus_1"}']


async def test_nothing_to_write_is_no_call(crm: Crm, sandbox: Sandbox) -> None:
    account, quote = sandbox.records("Account")[0]["Id"], sandbox.records("Quote")[0]["Id"]
    customers = References(erp_customer_id="1", billing_customer_id="cus_1")

    await crm.write_account_references(account, REFERENCES)
    await crm.write_quote_references(quote, customers)

    assert sandbox.requests() == []


async def test_a_quote_without_an_opportunity_is_written_alone(connecting: Connecting, scripted: Scripted) -> None:
    scripted.say(200, {"Id": QUOTE["Id"], "OpportunityId": None})
    scripted.say(200, {"compositeResponse": [{"httpStatusCode": 204, "body": None}]})

    await connecting(scripted.url).ports[Crm].write_quote_references(QUOTE["Id"], References(order_key="ORD-1"))

    assert "Opportunity" not in scripted.calls[1].body


@pytest.mark.parametrize(
    ("options", "method", "kind"),
    [
        ({"tax_id_field": "VAT__c"}, "get_account", "Account"), ({"order_key_field": "Order__c"}, "get_quote", "Quote"),
        ({"sku_field": "Sku__c"}, "get_quote", "Quote"),
    ],
)  # fmt: skip
async def test_a_field_that_the_org_lacks_is_named_with_the_way_out(
    connecting: Connecting, sandbox: Sandbox, options: dict[str, str], method: str, kind: str
) -> None:
    crm = connecting(sandbox.url, **options).ports[Crm]
    ((option, field),) = options.items()

    with pytest.raises(Refused) as refusal:
        await getattr(crm, method)(sandbox.records(kind)[0]["Id"])

    assert refusal.value.field == field
    assert f"options.{option}" in (refusal.value.fix or "")
    assert "create the custom field" in (refusal.value.fix or "")


async def test_a_field_that_the_org_lacks_is_named_when_written(connecting: Connecting, sandbox: Sandbox) -> None:
    crm = connecting(sandbox.url, erp_customer_id_field="NetSuite__c").ports[Crm]

    with pytest.raises(Refused, match="NetSuite__c") as refusal:
        await crm.write_account_references(sandbox.records("Account")[0]["Id"], References(erp_customer_id="1"))

    assert "options.erp_customer_id_field" in (refusal.value.fix or "")


async def test_an_org_without_custom_fields_is_read_with_the_options_emptied(connecting: Connecting, sandbox: Sandbox) -> None:
    custom = [
        "tax_id", "email", "active", "erp_customer_id", "billing_customer_id", "order_key", "erp_order_number",
        "billing_subscription_id", "contract_months", "contract_start",
    ]  # fmt: skip
    crm = connecting(sandbox.url, default_contract_months=12, **{f"{name}_field": "" for name in custom}).ports[Crm]

    account = await crm.get_account(one(sandbox, "Account", AccountNumber="ACC-1005")["Id"])
    quote = await crm.get_quote(one(sandbox, "Quote", QuoteNumber="Q-1002")["Id"])
    queries = "".join(call["query"] for call in sandbox.requests())

    assert (account.active, account.email) == (True, None)
    assert (quote.contract_months, quote.contract_start) == (12, None)
    assert "__c" not in queries


async def test_an_org_of_one_currency_says_so_once(connecting: Connecting, scripted: Scripted) -> None:
    single = {name: value for name, value in ACCOUNT.items() if name != "CurrencyIsoCode"}
    crm = connecting(scripted.url, default_currency="CHF").ports[Crm]
    scripted.say(400, NO_CURRENCY)
    for _ in range(2):
        scripted.say(200, single)

    accounts = [await crm.get_account(ACCOUNT["Id"]) for _ in range(2)]

    assert [account.currency for account in accounts] == ["CHF", "CHF"]
    assert ["CurrencyIsoCode" in call.path for call in scripted.calls] == [True, False, False]


async def test_an_org_of_one_currency_is_refused_until_it_is_said_which(connecting: Connecting, scripted: Scripted) -> None:
    scripted.say(400, NO_CURRENCY)

    with pytest.raises(Refused) as refusal:
        await connecting(scripted.url).ports[Crm].get_account(ACCOUNT["Id"])

    assert "options.default_currency" in (refusal.value.fix or "")


async def test_several_currencies_are_kept_apart_whatever_the_default(connecting: Connecting, sandbox: Sandbox) -> None:
    crm = connecting(sandbox.url, default_currency="CHF").ports[Crm]

    assert (await crm.get_quote(one(sandbox, "Quote", QuoteNumber="Q-1002")["Id"])).currency == "EUR"


async def test_an_org_without_quotes_says_how_to_have_them(connecting: Connecting, scripted: Scripted) -> None:
    scripted.say(400, [{"errorCode": "INVALID_TYPE", "message": "sObject type 'Quote' is not supported."}])

    with pytest.raises(Refused) as refusal:
        await connecting(scripted.url).ports[Crm].get_quote(QUOTE["Id"])

    assert "enable Quotes" in (refusal.value.fix or "")


@pytest.mark.parametrize("version", ["99.0", "30.0"])
async def test_a_version_that_the_org_has_not_shows_at_the_probe(connecting: Connecting, sandbox: Sandbox, version: str) -> None:
    with pytest.raises(PlatformDown) as refusal:
        await connecting(sandbox.url, api_version=version).probe()

    assert "options.api_version" in (refusal.value.fix or "")


async def test_the_version_is_in_every_path(connecting: Connecting, sandbox: Sandbox) -> None:
    connector = connecting(sandbox.url, api_version="62.0")
    known = one(sandbox, "Quote", QuoteNumber="Q-1001")

    await connector.probe()
    await connector.ports[Crm].get_account(known["AccountId"])
    await connector.ports[Crm].get_quote(known["Id"])
    await connector.ports[Crm].write_quote_references(known["Id"], REFERENCES)

    assert {path.split("/")[3] for _, path in asked(sandbox)} == {"v62.0"}
    assert parse_qs(sandbox.requests()[3]["query"])["q"][0].startswith("SELECT ")
