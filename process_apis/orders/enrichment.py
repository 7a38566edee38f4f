"""Enrichment: from a quote to what each platform must be told. What is missing is named, all of it at once."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from contracts.models.catalog import ChargeKind
from contracts.models.master_data import MappingKind
from contracts.models.order import NewSalesOrder, SalesOrderLine
from contracts.models.subscription import NewSubscription, SubscriptionLine
from kernel.problem import Unmapped
from master_data.mappings import MappingBook
from process_apis.orders.records import OrderPlan, OrderRequest
from process_apis.quotes.dossier import Dossier
from process_apis.quotes.lines import SoldLine, mapping_fix

DIMENSIONS = (MappingKind.DEPARTMENT, MappingKind.CLASS, MappingKind.LOCATION)
PAYMENT_DAYS = 30  # when finance has set no terms


@dataclass(frozen=True)
class Words:
    """What our words are called in the platforms of this order."""

    items: Mapping[str, str]  # sku → ERP item id
    prices: Mapping[str, str]  # sku → billing price id
    dimensions: Mapping[str, Mapping[str, str]]  # dimension → charge → ERP id
    tax_code: str | None


async def plan(request: OrderRequest, dossier: Dossier, payment_days: int | None) -> OrderPlan:
    """Raises `Unmapped` naming every line and mapping that is missing."""
    quote, route = await dossier.quote(), await dossier.route()
    lines = await dossier.priced_lines()
    words = await _words(dossier, lines)
    _complete(lines, words, quote.currency, await dossier.tax_source())
    erp_customer, billing_customer = await dossier.erp_customer(), await dossier.billing_customer()
    days = PAYMENT_DAYS if payment_days is None else payment_days
    sales_order = NewSalesOrder(
        key=request.key,
        customer=erp_customer,
        legal_entity=route.erp_entity_id,
        currency=quote.currency,
        ordered_on=dossier.today,
        lines=[_sales_order_line(line, words) for line in lines],
        customer_reference=request.order.customer_reference,
    )
    subscription = NewSubscription(
        key=request.key,
        customer=billing_customer,
        currency=quote.currency,
        contract_months=quote.contract_months,
        payment_days=days,
        lines=[_subscription_line(line, words) for line in lines],
    )
    return OrderPlan(
        legal_entity=route.legal_entity,
        customer_key=await dossier.customer_key(),
        erp=route.erp,
        billing=route.billing,
        crm_account=quote.account,
        opportunity=quote.opportunity,
        quote=quote.reference,
        erp_customer=erp_customer,
        billing_customer=billing_customer,
        total=quote.total,
        contract_months=quote.contract_months,
        payment_days=days,
        sales_order=sales_order,
        subscription=subscription if _recurs(lines) else None,
    )


async def _words(dossier: Dossier, lines: list[SoldLine]) -> Words:
    quote, route, today = await dossier.quote(), await dossier.route(), dossier.today
    mappings = dossier.book.mappings
    codes = await dossier.item_codes()
    ids = {item.code: item.id for item in (await dossier.items()).items}
    sources = {line.sku: f"{line.sku}/{quote.currency}" for line in lines}
    keys = await mappings.resolve(MappingKind.PRICE, sources.values(), route.billing, today)
    prices = (
        {p.key: p.id for p in (await (await dossier.billing()).list_prices(sorted(set(keys.values())))).items} if keys else {}
    )
    tax_source = await dossier.tax_source()
    tax = await mappings.resolve(MappingKind.TAX_CODE, [tax_source], route.erp, today)
    return Words(
        items={sku: ids[code] for sku, code in codes.items() if code in ids},
        prices={sku: prices[keys[source]] for sku, source in sources.items() if keys.get(source) in prices},
        dimensions=await _dimensions(mappings, route.erp, today),
        tax_code=tax.get(tax_source),
    )


async def _dimensions(mappings: MappingBook, erp: str, on: date) -> dict[str, dict[str, str]]:
    charges = [charge.value for charge in ChargeKind]
    return {kind.value: await mappings.resolve(kind, charges, erp, on) for kind in DIMENSIONS}


def _complete(lines: list[SoldLine], words: Words, currency: str, tax_source: str) -> None:
    """Every line has a charge, an amount, an item and a price, and there is a tax code for all of them."""
    missing = [
        {"pointer": f"quote.lines[{line.number}].{member}", "detail": detail, "fix": fix}
        for line in lines
        for member, detail, fix in _gaps(line, words, currency)
    ]
    if words.tax_code is None:
        fix = mapping_fix(MappingKind.TAX_CODE, tax_source, "TAX-CODE")
        missing.append({"pointer": "account.address.country", "detail": f"no tax code for {tax_source}", "fix": fix})
    if missing:
        first = missing[0]
        raise Unmapped(first["detail"], field=first["pointer"], system="trivium", fix=first["fix"], errors=missing)


def _gaps(line: SoldLine, words: Words, currency: str) -> list[tuple[str, str, str]]:
    gaps = []
    if line.charge is None:
        gaps.append(("sku", f"{line.sku} has no charge kind", mapping_fix(MappingKind.CHARGE, line.sku, "annual")))
    if line.sku not in words.items:
        gaps.append(("sku", f"{line.sku} has no item in the ERP", mapping_fix(MappingKind.ITEM, line.sku, "ITEM-CODE")))
    if line.sku not in words.prices:
        fix = mapping_fix(MappingKind.PRICE, f"{line.sku}/{currency}", "price-key")
        gaps.append(("sku", f"{line.sku}/{currency} has no price in billing", fix))
    if line.amount is None:
        gaps.append(
            ("unit_price", f"the share of {line.sku} in {line.bundle} is unknown", "set base prices of the parts in the ERP")
        )
    return gaps


def _sales_order_line(line: SoldLine, words: Words) -> SalesOrderLine:
    charge = line.charge.value if line.charge else ""
    dimensions = {name: ids[charge] for name, ids in words.dimensions.items() if charge in ids}
    amount = line.amount.amount if line.amount else 0
    return SalesOrderLine(
        line=line.line,
        item=words.items[line.sku],
        quantity=line.quantity,
        amount=amount,
        tax_code=words.tax_code,
        dimensions=dimensions,
    )


def _subscription_line(line: SoldLine, words: Words) -> SubscriptionLine:
    return SubscriptionLine(
        line=line.line,
        sku=line.sku,
        price=words.prices[line.sku],
        kind=line.charge or ChargeKind.SERVICE,
        quantity=line.quantity,
        amount=line.amount if line.bundle else None,
    )


def _recurs(lines: list[SoldLine]) -> bool:
    """Whether anything of it is charged again; without that there is nothing to subscribe to."""
    return any(line.charge in (ChargeKind.ANNUAL, ChargeKind.MONTHLY_USAGE) for line in lines)
