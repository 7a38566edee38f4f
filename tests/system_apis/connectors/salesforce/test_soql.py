import pytest
from hypothesis import given
from hypothesis import strategies as st

from system_apis.connectors.salesforce import soql
from system_apis.connectors.salesforce.ids import record_id
from system_apis.connectors.salesforce.options import Options

QUOTE = "0Q05g000000001B"


def test_a_quote_is_asked_for_with_its_lines_in_one_query() -> None:
    id = record_id(QUOTE) or ""

    assert soql.quote(Options(), id, currency=True).split(f"'{id}'") == [
        "SELECT Id, QuoteNumber, Name, Status, ExpirationDate, AccountId, OpportunityId, GrandTotal, Contract_Start__c, "
        "Contract_Months__c, Gateway_Order_Id__c, CurrencyIsoCode, (SELECT Id, Quantity, UnitPrice, Discount, TotalPrice, "
        "Product2.ProductCode FROM QuoteLineItems ORDER BY Id) FROM Quote WHERE Id = ",
        "",
    ]


@given(st.text())
def test_no_text_but_a_checked_id_enters_a_query(text: str) -> None:
    for ask in (
        lambda: soql.quote(Options(), text, currency=True),
        lambda: soql.quotes_of(Options(), text, currency=True),
        lambda: soql.opportunities_of(text, currency=True),
    ):
        with pytest.raises(ValueError, match="checked record id"):
            ask()


def test_a_field_that_the_org_has_not_is_not_asked_for_and_none_is_asked_for_twice() -> None:
    chosen = Options(email_field="", erp_customer_id_field="AccountNumber")

    fields = soql.account_fields(chosen, currency=False)

    assert "" not in fields
    assert "CurrencyIsoCode" not in fields
    assert fields.count("AccountNumber") == 1
