"""The checks a quote must pass, each a question to one system; none knows of another, all run at once.

A check answers its findings (none: ok). A Problem that says something of the quote (it is invalid, or refers to what does not
exist) is a finding too; any other means that the check could not be made.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from contracts.models.catalog import ChargeKind, Price
from contracts.models.master_data import MappingKind
from contracts.models.validation import Finding
from kernel.problem import NotFound
from process_apis.quotes.dossier import Dossier
from process_apis.quotes.lines import SoldLine, mapping_fix

Findings = list[Finding]
ERP, BILLING, CRM = "erp", "billing", "crm"
# charge → whether its price is (recurring, metered)
RHYTHMS: Mapping[ChargeKind, tuple[bool, bool]] = {
    ChargeKind.ANNUAL: (True, False),
    ChargeKind.MONTHLY_USAGE: (True, True),
    ChargeKind.SERVICE: (False, False),
    ChargeKind.GOODS: (False, False),
}


@dataclass(frozen=True)
class Question:
    """A check's name, whom it asks, and how."""

    name: str
    asks: str
    put: Callable[[Dossier], Awaitable[Findings]]


async def quote_approved(d: Dossier) -> Findings:
    quote = await d.quote()
    if quote.approved:
        return []
    return [Finding(field="quote.status", reason=f"the quote is {quote.status}", fix="have the quote approved in the CRM")]


async def contract_not_expired(d: Dossier) -> Findings:
    quote = await d.quote()
    if quote.expires_on is None or quote.expires_on >= d.today:
        return []
    reason = f"the offer expired on {quote.expires_on}"
    return [Finding(field="quote.expires_on", reason=reason, fix="renew the quote in the CRM with a later expiry date")]


async def account_active(d: Dossier) -> Findings:
    """The CRM's account is active and its parent, if it names one, exists."""
    account = await d.account()
    if not account.active:
        return [Finding(field="account.active", reason="the account is inactive in the CRM", fix="reactivate the account")]
    if account.parent is not None:
        try:
            await d.crm.get_account(account.parent.id)
        except NotFound:
            reason = f"the parent account {account.parent.id} does not exist"
            return [Finding(field="account.parent", reason=reason, fix="correct the account's parent in the CRM")]
    return []


async def customer_active(d: Dossier) -> Findings:
    customer = await d.erp_record()
    if customer.active:
        return []
    reason = f"the customer {await d.customer_key()} is inactive in the ERP"
    return [Finding(field="quote.account", reason=reason, fix="have finance reactivate the customer in the ERP")]


async def billing_customer_active(d: Dossier) -> Findings:
    customer = await (await d.billing()).get_customer((await d.billing_customer()).id)
    if customer.active:
        return []
    return [Finding(field="quote.account", reason="the customer is blocked in billing", fix="have finance unblock the customer")]


async def credit(d: Dossier) -> Findings:
    """What is owed and ordered, plus this quote, stays within the limit; nobody put the customer on hold."""
    standing = await (await d.erp()).get_credit((await d.erp_customer()).id)
    quote = await d.quote()
    found = []
    if standing.on_hold:
        found.append(Finding(field="quote.account", reason="finance has put the customer on credit hold", fix="ask finance"))
    if standing.limit is None:
        return found
    if {standing.limit.currency, standing.exposure.currency} != {quote.currency}:
        reason = f"credit is kept in {standing.limit.currency}, the quote is in {quote.currency}"
        return [*found, Finding(field="quote.currency", reason=reason, fix=f"quote in {standing.limit.currency}, or ask finance")]
    after = standing.exposure + quote.total
    if standing.limit < after:
        reason = f"exposure would be {after}, the credit limit is {standing.limit}"
        fix = "collect what is due, lower the order, or ask finance for a higher limit"
        found.append(Finding(field="quote.total", reason=reason, fix=fix))
    return found


async def items_resolve(d: Dossier) -> Findings:
    """There are lines, and every one has a charge kind and an active item in the ERP."""
    lines = await d.lines()
    if not lines:
        return [Finding(field="quote.lines", reason="the quote has no lines", fix="add what is sold to the quote")]
    codes, known = await d.item_codes(), {item.code: item for item in (await d.items()).items}
    found = []
    for line in lines:
        if line.charge is None:
            fix = mapping_fix(MappingKind.CHARGE, line.sku, "annual")
            found.append(_finding(line, "sku", f"{line.sku} has no charge kind", fix))
        if line.sku not in codes:
            fix = mapping_fix(MappingKind.ITEM, line.sku, "ITEM-CODE")
            found.append(_finding(line, "sku", f"{line.sku} has no item in the ERP", fix))
        elif codes[line.sku] not in known or not known[codes[line.sku]].active:
            reason = f"the ERP has no active item {codes[line.sku]}"
            found.append(_finding(line, "sku", reason, "correct the mapping, or activate the item in the ERP"))
    return found


async def stock(d: Dossier) -> Findings:
    """What stock applies to is available in the quantity sold, all lines of an item together."""
    codes, known = await d.item_codes(), {item.code: item for item in (await d.items()).items}
    wanted: dict[str, int] = {}
    found = []
    for line in await d.lines():
        item = known.get(codes.get(line.sku, ""))
        if item is None or item.available is None:
            continue
        wanted[item.code] = wanted.get(item.code, 0) + line.quantity
        if wanted[item.code] > item.available:
            reason = f"{wanted[item.code]} of {line.sku} wanted, {item.available.normalize():f} available"
            found.append(_finding(line, "quantity", reason, "lower the quantity or wait for stock"))
    return found


async def prices(d: Dossier) -> Findings:
    """Quoted unit prices are the ERP's base prices; a bundle has a price of its own, which its parts must be able to share."""
    codes, known = await d.item_codes(), {item.code: item for item in (await d.items()).items}
    found = []
    for line in await d.priced_lines():
        item = known.get(codes.get(line.sku, ""))
        if item is None:
            continue
        if line.amount is None:
            reason = f"the share of {line.sku} in {line.bundle} is unknown"
            found.append(_finding(line, "unit_price", reason, "set base prices of the parts in the ERP"))
        elif None not in (line.unit_price, item.unit_price) and line.unit_price != item.unit_price:
            reason = f"{line.sku} is quoted at {line.unit_price}, its price is {item.unit_price}"
            found.append(_finding(line, "unit_price", reason, "quote the current price again"))
    return found


async def billing_rates(d: Dossier) -> Findings:
    """Billing has a price for every line in the quote's currency, in the rhythm of its charge: metered where that is usage."""
    route, quote, lines = await d.route(), await d.quote(), await d.lines()
    sources = {line.line: f"{line.sku}/{quote.currency}" for line in lines}
    keys = await d.book.mappings.resolve(MappingKind.PRICE, sources.values(), route.billing, d.today)
    known = (
        {price.key: price for price in (await (await d.billing()).list_prices(sorted(set(keys.values())))).items} if keys else {}
    )
    found = []
    for line in lines:
        source = sources[line.line]
        if source not in keys:
            fix = mapping_fix(MappingKind.PRICE, source, "price-key")
            found.append(_finding(line, "sku", f"{source} has no price in billing", fix))
        elif keys[source] not in known:
            reason = f"billing has no price under {keys[source]!r}"
            found.append(_finding(line, "sku", reason, "create the price in billing, or correct the mapping"))
        elif (why := _unfit(known[keys[source]], line, quote.currency)) is not None:
            found.append(_finding(line, "sku", f"{keys[source]!r} {why}", "correct the mapping"))
    return found


def _unfit(price: Price, line: SoldLine, currency: str) -> str | None:
    """Why the line cannot be rated by this price."""
    if price.currency != currency:
        return f"is a {price.currency} price"
    rhythm = RHYTHMS.get(line.charge) if line.charge else None
    if rhythm in (None, (price.recurring, price.metered)):
        return None
    kind = "metered" if price.metered else "recurring" if price.recurring else "one-time"
    return f"is a {kind} price, the charge of {line.sku} is {line.charge}"


async def tax_codes_resolve(d: Dossier) -> Findings:
    """The legal entity has a tax code for sales to the customer's country, and the ERP knows it."""
    route, source = await d.route(), await d.tax_source()
    mapped = await d.book.mappings.resolve(MappingKind.TAX_CODE, [source], route.erp, d.today)
    if source not in mapped:
        reason, fix = f"no tax code for {source}", mapping_fix(MappingKind.TAX_CODE, source, "TAX-CODE")
        return [Finding(field="account.address.country", reason=reason, fix=fix)]
    code = await (await d.erp()).find_tax_code(mapped[source])
    if code is None or not code.active:
        reason = f"the ERP has no active tax code {mapped[source]!r}"
        return [Finding(field="account.address.country", reason=reason, fix="correct the mapping, or activate the tax code")]
    return []


async def tax_previews(d: Dossier) -> Findings:
    await d.tax_preview()
    return []


async def legal_entity(d: Dossier) -> Findings:
    """The entity that would sell is active and sells in the quote's currency."""
    route, quote = await d.route(), await d.quote()
    entity = await (await d.erp()).get_legal_entity(route.erp_entity_id)
    if not entity.active:
        return [Finding(field="quote.account", reason=f"{entity.name} is inactive", fix="correct [[routes]] in trivium.toml")]
    if quote.currency != route.currency:
        reason = f"{entity.name} sells in {route.currency}, the quote is in {quote.currency}"
        return [Finding(field="quote.currency", reason=reason, fix=f"quote in {route.currency}")]
    return []


async def period_open(d: Dossier) -> Findings:
    period = await (await d.erp()).find_period(d.today)
    if period is not None and period.open:
        return []
    reason = f"the accounting period of {d.today} is {'closed' if period else 'not set up'}"
    return [Finding(field="quote", reason=reason, fix="have finance open the period in the ERP")]


QUESTIONS: tuple[Question, ...] = (
    Question("quote_approved", CRM, quote_approved),
    Question("contract_not_expired", CRM, contract_not_expired),
    Question("account_active", CRM, account_active),
    Question("customer_active", ERP, customer_active),
    Question("billing_customer_active", BILLING, billing_customer_active),
    Question("credit", ERP, credit),
    Question("items", ERP, items_resolve),
    Question("stock", ERP, stock),
    Question("prices", ERP, prices),
    Question("billing_rates", BILLING, billing_rates),
    Question("tax_codes", ERP, tax_codes_resolve),
    Question("tax_preview", BILLING, tax_previews),
    Question("legal_entity", ERP, legal_entity),
    Question("period", ERP, period_open),
)


def _finding(line: SoldLine, member: str, reason: str, fix: str) -> Finding:
    return Finding(field=f"quote.lines[{line.number}].{member}", reason=reason, fix=fix)
