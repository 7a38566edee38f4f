"""Our models as Stripe's parameters. Pure functions; raises Refused for what Stripe could not charge exactly."""

from collections.abc import Mapping

from contracts.models.catalog import ChargeKind
from contracts.models.money import Money
from contracts.models.party import Address, CustomerStatus, NewCustomer
from contracts.models.subscription import NewSubscription, SubscriptionLine
from contracts.models.tax import TaxRequest
from kernel.problem import Refused
from system_apis.connectors.stripe.amounts import Unchargeable, units
from system_apis.connectors.stripe.fields import Fields
from system_apis.connectors.stripe.form import Form
from system_apis.connectors.stripe.mapping import BLOCKED, CURRENCY, EXTERNAL_ID, EXTERNAL_REF, STATUS

_EU = (
    "AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU",
    "IE", "IT", "LT", "LU", "LV", "MT", "NL", "PL", "PT", "RO", "SE", "SI", "SK",
)  # fmt: skip
_TAX_ID_TYPES: Mapping[str, str] = {
    "AU": "au_abn", "CA": "ca_bn", "CH": "ch_vat", "GB": "gb_vat", "NO": "no_vat", "US": "us_ein",
    **dict.fromkeys(_EU, "eu_vat"),
}  # fmt: skip
_RECURRING = frozenset({ChargeKind.ANNUAL, ChargeKind.MONTHLY_USAGE})


def customer_form(new: NewCustomer, correlation: str) -> Form:
    """Credit terms stay in the ERP: Stripe knows days until due per subscription, and no credit limit."""
    return {
        "name": new.legal_name,
        "email": new.email,
        "address": address_form(new.address),
        "tax_id_data": [{"type": tax_id_type(new.address.country), "value": new.tax_id}] if new.tax_id else None,
        "metadata": {
            EXTERNAL_ID: new.key,
            CURRENCY: new.currency,
            "legal_entity": new.legal_entity,
            "correlation_id": correlation or None,
        },
    }


def address_form(address: Address) -> Form:
    return {
        "line1": address.line1,
        "city": address.city,
        "postal_code": address.postal_code,
        "state": address.state,
        "country": address.country,
    }


def tax_id_type(country: str) -> str:
    """Stripe's type of a business's tax id in a country. https://docs.stripe.com/billing/customer/tax-ids"""
    found = _TAX_ID_TYPES.get(country)
    if found is None:
        fix = "leave the tax id out and add it in Stripe by hand, or extend the connector's table of types"
        raise Refused(f"Stripe: no type of tax id is known here for {country}", field="tax_id", fix=fix)
    return found


def status_form(status: CustomerStatus) -> Form:
    """An empty text removes the mark."""
    return {"metadata": {STATUS: BLOCKED if status == "blocked" else ""}}


def tax_form(request: TaxRequest) -> Form:
    """Stripe Tax: prices without tax, taxed where the delivery goes. https://docs.stripe.com/api/tax/calculations/create"""
    return {
        "currency": request.currency.lower(),
        "customer_details": {"address": address_form(request.ship_to), "address_source": "shipping"},
        "line_items": [
            {
                "amount": _units(line.amount, line.line),
                "quantity": line.quantity or None,
                "reference": line.line,
                "tax_behavior": "exclusive",
            }
            for line in request.lines
        ],
    }


def subscription_form(new: NewSubscription, fixed: Mapping[str, Fields], correlation: str, *, automatic_tax: bool) -> Form:
    """`fixed`: by id, the prices of the lines that carry an amount of their own.

    The contract's length goes into metadata, not into `cancel_at`: a contract that ends is renewed or ended by a decision,
    and a date set here would end it silently, with a proration wherever it cuts a period.
    """
    recurring = [line for line in new.lines if line.kind in _RECURRING]
    once = [line for line in new.lines if line.kind not in _RECURRING]
    if not recurring:
        fix = "invoice one-time lines without a subscription, or add a recurring line"
        raise Refused("Stripe: a subscription needs at least one recurring line", field="lines", fix=fix)
    return {
        "customer": new.customer.id,
        "currency": new.currency.lower(),
        "collection_method": "send_invoice",
        "days_until_due": new.payment_days,
        "automatic_tax": {"enabled": True} if automatic_tax else None,
        "items": [_line_form(line, fixed, periodic=True) for line in recurring],
        "add_invoice_items": [_line_form(line, fixed, periodic=False) for line in once],
        "metadata": {EXTERNAL_REF: new.key, "contract_months": str(new.contract_months), "correlation_id": correlation or None},
    }


def _line_form(line: SubscriptionLine, fixed: Mapping[str, Fields], *, periodic: bool) -> Form:
    metadata: Form = {"line": line.line, "sku": line.sku}
    metered = line.kind is ChargeKind.MONTHLY_USAGE
    if line.amount is None:
        return {"price": line.price, "quantity": None if metered else line.quantity, "metadata": metadata}
    if metered:
        raise Refused("Stripe: usage is charged by its price and cannot have a fixed amount", field=f"lines.{line.line}.amount")
    unit, quantity = _shared_out(line, line.amount)
    data = {**_price_data(fixed[line.price], periodic=periodic), "unit_amount": unit}
    return {"price_data": data, "quantity": quantity, "metadata": metadata}


def _shared_out(line: SubscriptionLine, amount: Money) -> tuple[int, int]:
    """Units per piece and pieces; one piece of the whole where it cannot be shared out without a rest."""
    whole = _units(amount, line.line)
    if line.quantity and whole % line.quantity == 0:
        return whole // line.quantity, line.quantity
    return whole, 1


def _price_data(base: Fields, *, periodic: bool) -> Form:
    """A price of the same product, rhythm and tax behaviour as `base`, its amount still to be said."""
    behavior = base.optional_text("tax_behavior")
    data: Form = {"currency": base.text("currency"), "product": base.text("product"), "tax_behavior": behavior}
    if not periodic:
        return data
    rhythm = base.object("recurring")
    return {**data, "recurring": {"interval": rhythm.text("interval"), "interval_count": rhythm.integer("interval_count")}}


def _units(amount: Money, line: str) -> int:
    try:
        return units(amount)
    except Unchargeable as error:
        raise Refused(str(error), field=f"lines.{line}.amount") from None
