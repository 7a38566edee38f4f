from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.models.money import Money
from contracts.models.sales import References
from kernel.problem import BadPlatformAnswer, Refused
from system_apis.connectors.salesforce import mapping
from system_apis.connectors.salesforce.fields import Fields
from system_apis.connectors.salesforce.ids import record_id
from system_apis.connectors.salesforce.options import Options

ACCOUNT_ID, QUOTE_ID, LINE_ID, DEAL_ID = (
    record_id(prefix + "5g0000000001") or "" for prefix in ("001", "0Q0", "0QL", "006")
)  # fmt: skip
DEFAULTS = Options()
ACCOUNT: dict[str, Any] = {
    "attributes": {"type": "Account"}, "Id": ACCOUNT_ID, "Name": "Acme GmbH", "ParentId": None, "BillingStreet": "Lindenweg 4",
    "BillingCity": "Berlin", "BillingPostalCode": "10115", "BillingCountry": "DE", "BillingState": None, "AccountNumber": "ACC-1",
    "Tax_Id__c": "DE136695976", "Email__c": "ap@acme.example", "IsActive__c": True, "ERP_Id__c": None,
    "Billing_Account_Id__c": "cus_1", "CurrencyIsoCode": "EUR",
}  # fmt: skip
LINE: dict[str, Any] = {
    "Id": LINE_ID, "Quantity": Decimal("10.00"), "UnitPrice": Decimal("1200.00"), "Discount": None,
    "TotalPrice": Decimal("12000.00"),
    "Product2": {"attributes": {"type": "Product2"}, "ProductCode": "PLAT-ANNUAL"},
}  # fmt: skip
QUOTE: dict[str, Any] = {
    "Id": QUOTE_ID, "QuoteNumber": "00000123", "Name": "Platform", "Status": "Approved", "ExpirationDate": "2026-12-31",
    "AccountId": ACCOUNT_ID, "OpportunityId": DEAL_ID, "GrandTotal": Decimal("12000.0"), "Contract_Start__c": None,
    "Contract_Months__c": Decimal("12.0"), "Gateway_Order_Id__c": None, "CurrencyIsoCode": "EUR",
    "QuoteLineItems": {"totalSize": 1, "done": True, "records": [LINE]},
}  # fmt: skip
DEAL: dict[str, Any] = {
    "Id": DEAL_ID, "Name": "Platform deal", "StageName": "Closed Won", "Amount": 12000, "IsWon": True, "CurrencyIsoCode": "EUR",
}  # fmt: skip


def fields(wire: dict[str, Any], name: str, **changes: Any) -> Fields:
    """The record with some fields changed; those given as ... left out."""
    return Fields({k: v for k, v in (wire | changes).items() if v is not ...}, "sf-eu", name)


def account(**changes: Any) -> Any:
    return mapping.account(fields(ACCOUNT, "Account", **changes), DEFAULTS)


def quote(chosen: Options = DEFAULTS, **changes: Any) -> Any:
    return mapping.quote(fields(QUOTE, "Quote", **changes), chosen)


def line(**changes: Any) -> Any:
    return quote(QuoteLineItems={"records": [LINE | changes]}).lines[0]


def test_an_account_is_read_whole() -> None:
    found = account(ParentId=ACCOUNT_ID)

    assert str(found.reference) == f"sf-eu/account/{ACCOUNT_ID}"
    assert (found.number, found.name, found.currency, found.active) == ("ACC-1", "Acme GmbH", "EUR", True)
    assert (found.email, found.tax_id) == ("ap@acme.example", "DE136695976")
    assert (found.erp_customer_id, found.billing_customer_id) == (None, "cus_1")
    assert str(found.parent) == f"sf-eu/account/{ACCOUNT_ID}"


@pytest.mark.parametrize("number", [None, "", "  "])
def test_an_account_without_a_number_is_known_by_its_id(number: str | None) -> None:
    assert account(AccountNumber=number).number == ACCOUNT_ID


@pytest.mark.parametrize("part", ["BillingStreet", "BillingCity", "BillingPostalCode", "BillingCountry"])
def test_half_an_address_is_none(part: str) -> None:
    assert account(**{part: None}).address is None


def test_a_street_of_several_lines_is_one() -> None:
    assert account(BillingStreet="Building 7\r\nLindenweg 4").address.line1 == "Building 7, Lindenweg 4"


@pytest.mark.parametrize("country", ["Germany", "de", "DEU"])
def test_a_country_that_is_no_code_is_refused_with_what_to_do(country: str) -> None:
    with pytest.raises(Refused) as refusal:
        account(BillingCountry=country)

    assert refusal.value.field == "BillingCountry"
    assert "options.country_field" in (refusal.value.fix or "")


def test_a_country_picklist_is_read_by_its_code() -> None:
    chosen = Options(country_field="BillingCountryCode", state_field="BillingStateCode")
    wire = fields(ACCOUNT, "Account", BillingCountry=..., BillingCountryCode="US", BillingState=..., BillingStateCode="CA")

    found = mapping.account(wire, chosen).address

    assert found is not None
    assert (found.country, found.state) == ("US", "CA")


def test_a_field_that_the_org_has_not_says_nothing() -> None:
    chosen = Options(active_field="", email_field="", tax_id_field="")

    found = mapping.account(fields(ACCOUNT, "Account", IsActive__c=..., Email__c=..., Tax_Id__c=...), chosen)

    assert (found.active, found.email, found.tax_id) == (True, None, None)


def test_a_number_that_cannot_be_a_key_is_for_a_person_to_correct() -> None:
    with pytest.raises(Refused, match="number of Account") as refusal:
        account(AccountNumber="ACC 1")

    assert refusal.value.fix


def test_a_quote_is_read_whole() -> None:
    found = quote(Contract_Start__c="2027-01-01", Gateway_Order_Id__c="ORD-1")

    assert (found.reference.kind, found.number, found.status, found.approved) == ("quote", "00000123", "Approved", True)
    assert (found.account.kind, found.opportunity.kind) == ("account", "opportunity")
    assert (found.expires_on, found.contract_start, found.contract_months) == (date(2026, 12, 31), date(2027, 1, 1), 12)
    assert found.total == Money.of("12000.00", "EUR")
    assert [(one.id, one.sku, one.quantity, one.unit_price) for one in found.lines] == [
        (LINE_ID, "PLAT-ANNUAL", 10, Decimal(1200))
    ]
    assert found.order_key == "ORD-1"


@pytest.mark.parametrize(("status", "approved"), [("Approved", True), ("Accepted", True), ("Draft", False), (None, False)])
def test_a_quote_is_approved_in_the_statuses_that_say_so(status: str | None, approved: bool) -> None:
    assert quote(Status=status).approved is approved


def test_an_org_has_its_own_words_for_approved() -> None:
    assert quote(Options(approved_statuses=["Freigegeben"]), Status="Freigegeben").approved
    assert not quote(Options(approved_statuses=["Freigegeben"])).approved


def test_a_quote_without_lines_is_worth_nothing() -> None:
    found = quote(QuoteLineItems=None, GrandTotal=None)

    assert (found.lines, found.total) == ([], Money.zero("EUR"))


def test_a_quote_may_have_no_opportunity_but_not_no_account() -> None:
    assert quote(OpportunityId=None).opportunity is None
    with pytest.raises(Refused, match="AccountId"):
        quote(AccountId=None)


def test_the_length_of_a_contract_is_never_guessed() -> None:
    with pytest.raises(Refused, match="Contract_Months__c") as refusal:
        quote(Contract_Months__c=None)

    assert "options.default_contract_months" in (refusal.value.fix or "")
    assert quote(Options(default_contract_months=36), Contract_Months__c=None).contract_months == 36
    assert quote(Options(default_contract_months=36, contract_months_field=""), Contract_Months__c=...).contract_months == 36


@pytest.mark.parametrize("quantity", [Decimal("2.5"), Decimal(-1), Decimal("1E999999"), 10**10])
def test_a_quantity_that_is_no_whole_number_is_refused(quantity: Decimal) -> None:
    with pytest.raises(Refused, match="Quantity"):
        line(Quantity=quantity)


@pytest.mark.parametrize("product", [None, {"ProductCode": None}, {"ProductCode": ""}])
def test_a_line_without_a_product_code_is_refused_with_what_to_do(product: Any) -> None:
    with pytest.raises(Refused, match=LINE_ID) as refusal:
        line(Product2=product)

    assert refusal.value.fix == "give the product a ProductCode"


def test_a_discount_is_in_the_unit_price() -> None:
    assert line(Discount=Decimal("10.0"), TotalPrice=Decimal("10800.00")).unit_price == Decimal(1080)
    assert line(Discount=Decimal("0.0")).unit_price == Decimal(1200)


@given(st.integers(1, 1_000_000_000), st.integers(0, 10**11))
def test_any_discounted_line_comes_to_its_total_to_the_cent(quantity: int, cents: int) -> None:
    total = Decimal(cents).scaleb(-2)

    found = line(Quantity=quantity, Discount=Decimal("12.5"), TotalPrice=total)

    assert (found.unit_price * quantity).quantize(Decimal("0.01"), rounding=ROUND_HALF_UP) == total


def test_an_amount_finer_than_its_currency_is_refused() -> None:
    with pytest.raises(Refused, match="GrandTotal"):
        quote(CurrencyIsoCode="JPY", GrandTotal=Decimal("100.5"))


def test_an_opportunity_may_have_no_amount() -> None:
    found = mapping.opportunity(fields(DEAL, "Opportunity"), DEFAULTS)

    assert (found.stage, found.amount, found.won) == ("Closed Won", Money.of("12000.00", "EUR"), True)
    assert mapping.opportunity(fields(DEAL, "Opportunity", Amount=None), DEFAULTS).amount is None


def test_where_the_org_has_one_currency_the_default_is_it() -> None:
    found = mapping.account(fields(ACCOUNT, "Account", CurrencyIsoCode=...), Options(default_currency="CHF"))

    assert found.currency == "CHF"


def test_a_record_of_another_currency_is_never_taken_for_the_default() -> None:
    assert mapping.account(fields(ACCOUNT, "Account"), Options(default_currency="CHF")).currency == "EUR"
    with pytest.raises(BadPlatformAnswer):
        mapping.account(fields(ACCOUNT, "Account", CurrencyIsoCode=None), Options(default_currency="CHF"))


def test_only_references_that_are_there_are_written() -> None:
    every = References(
        order_key="ORD-1",
        erp_customer_id="1",
        erp_order_number="SO-1",
        billing_customer_id="cus_1",
        billing_subscription_id="sub_1",
    )

    assert mapping.account_form(every, DEFAULTS) == {"ERP_Id__c": "1", "Billing_Account_Id__c": "cus_1"}
    assert mapping.quote_form(every, DEFAULTS) == {
        "Gateway_Order_Id__c": "ORD-1", "ERP_Order_Number__c": "SO-1", "Billing_Subscription_Id__c": "sub_1",
    }  # fmt: skip
    assert mapping.quote_form(References(order_key="ORD-1"), DEFAULTS) == {"Gateway_Order_Id__c": "ORD-1"}
    assert mapping.quote_form(References(order_key="ORD-1"), Options(order_key_field="")) == {}


ODD = [
    (mapping.account, ACCOUNT, {"Id": ...}), (mapping.account, ACCOUNT, {"Id": "001"}),
    (mapping.account, ACCOUNT, {"Name": None}),
    (mapping.account, ACCOUNT, {"Name": 7}), (mapping.account, ACCOUNT, {"IsActive__c": "Yes"}),
    (mapping.account, ACCOUNT, {"IsActive__c": None}), (mapping.account, ACCOUNT, {"AccountNumber": ...}),
    (mapping.account, ACCOUNT, {"ParentId": "../x"}), (mapping.account, ACCOUNT, {"CurrencyIsoCode": ...}),
    (mapping.account, ACCOUNT, {"BillingCity": ["Berlin"]}),
    (mapping.quote, QUOTE, {"QuoteNumber": ...}), (mapping.quote, QUOTE, {"GrandTotal": "12000"}),
    (mapping.quote, QUOTE, {"GrandTotal": None}), (mapping.quote, QUOTE, {"GrandTotal": True}),
    (mapping.quote, QUOTE, {"GrandTotal": 12000.5}), (mapping.quote, QUOTE, {"ExpirationDate": "soon"}),
    (mapping.quote, QUOTE, {"QuoteLineItems": []}), (mapping.quote, QUOTE, {"QuoteLineItems": {"records": [1]}}),
    (mapping.quote, QUOTE, {"QuoteLineItems": {"records": [LINE | {"UnitPrice": None}]}}),
    (mapping.quote, QUOTE, {"QuoteLineItems": {"records": [LINE | {"Discount": 5, "TotalPrice": Decimal("1E999999")}]}}),
    (mapping.opportunity, DEAL, {"IsWon": None}), (mapping.opportunity, DEAL, {"StageName": None}),
]  # fmt: skip


@pytest.mark.parametrize(("make", "wire", "changes"), ODD, ids=lambda value: str(value)[:40] if isinstance(value, dict) else "")
def test_a_field_that_is_missing_or_of_another_type_is_unintelligible(make: Any, wire: dict[str, Any], changes: Any) -> None:
    with pytest.raises(BadPlatformAnswer, match="Salesforce: "):
        make(fields(wire, "Record", **changes), DEFAULTS)
