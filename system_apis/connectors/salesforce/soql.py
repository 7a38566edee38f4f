"""What is asked of the org, as field lists and SOQL. Pure functions; the only text from outside in a query is a checked id."""

from system_apis.connectors.salesforce.ids import record_id
from system_apis.connectors.salesforce.options import CURRENCY, Options

LISTED = 200  # the most that our lists answer
_NEWEST = f"ORDER BY CreatedDate DESC, Id DESC LIMIT {LISTED}"


def account_fields(options: Options, *, currency: bool) -> list[str]:
    """`currency`: whether records of this org have one of their own."""
    own = ["Id", "Name", "ParentId", "BillingStreet", "BillingCity", "BillingPostalCode"]
    chosen = [
        options.account_number_field, options.country_field, options.state_field, options.tax_id_field, options.email_field,
        options.active_field, options.erp_customer_id_field, options.billing_customer_id_field,
    ]  # fmt: skip
    return _columns(own + chosen, currency=currency)


def quote(options: Options, quote_id: str, *, currency: bool) -> str:
    return f"{_quotes(options, currency=currency)} WHERE Id = {_literal(quote_id)}"


def quotes_of(options: Options, account_id: str, *, currency: bool) -> str:
    """Newest first."""
    return f"{_quotes(options, currency=currency)} WHERE AccountId = {_literal(account_id)} {_NEWEST}"


def opportunities_of(account_id: str, *, currency: bool) -> str:
    """Newest first."""
    wanted = _selected(_columns(["Id", "Name", "StageName", "Amount", "IsWon"], currency=currency), "Opportunity")
    return f"{wanted} WHERE AccountId = {_literal(account_id)} {_NEWEST}"


def _quotes(options: Options, *, currency: bool) -> str:
    own = ["Id", "QuoteNumber", "Name", "Status", "ExpirationDate", "AccountId", "OpportunityId", "GrandTotal"]
    chosen = [options.contract_start_field, options.contract_months_field, options.order_key_field]
    lines = _selected(
        ["Id", "Quantity", "UnitPrice", "Discount", "TotalPrice", f"Product2.{options.sku_field}"], "QuoteLineItems"
    )
    return _selected([*_columns(own + chosen, currency=currency), f"({lines} ORDER BY Id)"], "Quote")


def _selected(columns: list[str], source: str) -> str:
    return " ".join(("SELECT", ", ".join(columns), "FROM", source))


def _columns(names: list[str], *, currency: bool) -> list[str]:
    """Each once, since Salesforce refuses a field named twice."""
    wanted = [*names, CURRENCY] if currency else names
    return list(dict.fromkeys(name for name in wanted if name))


def _literal(id: str) -> str:
    if record_id(id) != id:
        raise ValueError("only a checked record id may enter a query")
    return f"'{id}'"
