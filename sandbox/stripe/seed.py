"""The seeded world in Stripe's objects: products by sku, prices by lookup key, the customers billing knows, tax rates."""

from decimal import Decimal

from sandbox.stripe.account import Account, Call
from sandbox.stripe.nexus import JURISDICTIONS
from sandbox.stripe.resources import customers, meters, prices, products
from sandbox.stripe.resources.tax_rates import rate_row
from sandbox.stripe.wire import Wire
from sandbox.world import PARTIES, PRODUCTS, ChargeKind, Party, Product

METER_EVENT = "api_usage"
ZERO_DECIMAL = frozenset(
    {"bif", "clp", "djf", "gnf", "jpy", "kmf", "krw", "mga", "pyg", "rwf", "vnd", "vuv", "xaf", "xof", "xpf"}
)  # https://docs.stripe.com/currencies#zero-decimal


def seed(account: Account) -> None:
    """Fills an empty account. No events come of it, and search sees all of it at once."""
    account.quiet = True
    for place in JURISDICTIONS:
        _tax_rate(account, place.entity)
    meter = meters.create(
        Call(account, {}, {"event_name": METER_EVENT, "display_name": "API calls", "default_aggregation": {"formula": "sum"}})
    )
    for product in PRODUCTS:
        _product(account, product, meter)
    for party in PARTIES:
        if party.in_billing:
            _customer(account, party)
    account.search.catch_up(until=account.clock() + account.search_lag)
    account.quiet = False


def _tax_rate(account: Account, entity: str) -> None:
    place = next(one for one in JURISDICTIONS if one.entity == entity)
    row = rate_row(account, place.display_name, place.percentage, inclusive=False) | {
        "country": place.country,
        "state": place.state,
        "description": f"{place.display_name} {place.state or place.country}",
        "jurisdiction": place.state or place.country,
        "jurisdiction_level": place.level,
        "metadata": {"entity": entity},
        "tax_type": place.tax_type,
    }
    account.entity_rates[entity] = account.save(row)["id"]


def _product(account: Account, product: Product, meter: Wire) -> None:
    params = {"id": product.sku, "name": product.name, "metadata": {"sku": product.sku, "kind": product.kind}}
    products.create(Call(account, {}, dict(params)))
    for currency, amount in product.prices.items() if product.priced else ():
        price = {
            "product": product.sku,
            "currency": currency.lower(),
            "unit_amount_decimal": minor(amount, currency),
            "lookup_key": f"{product.sku}/{currency.lower()}",
            "tax_behavior": "exclusive",
        }
        recurring = _recurring(product.kind, meter)
        prices.create(Call(account, {}, price | ({"recurring": recurring} if recurring else {})))


def _recurring(kind: ChargeKind, meter: Wire) -> dict[str, str] | None:
    match kind:
        case "annual":
            return {"interval": "year", "usage_type": "licensed"}
        case "monthly_usage":
            return {"interval": "month", "usage_type": "metered", "meter": meter["id"]}
        case _:
            return None


def minor(amount: str, currency: str) -> Decimal:
    """An amount of major units in the minor units that Stripe counts in."""
    return Decimal(amount).scaleb(0 if currency.lower() in ZERO_DECIMAL else 2)


def _customer(account: Account, party: Party) -> None:
    params: dict[str, object] = {"name": party.name, "email": party.email, "metadata": {"external_id": party.key}}
    if party.address:
        parts = {k: getattr(party.address, k) for k in ("line1", "city", "postal_code", "country", "state")}
        params["address"] = parts | {"line2": None}
    if party.tax_id:
        kind = "eu_vat" if party.tax_id[:2].isalpha() else "us_ein"
        params["tax_id_data"] = [{"type": kind, "value": party.tax_id}]
    row = customers.create(Call(account, {}, params))
    account.update(row, {"currency": party.currency.lower()})
