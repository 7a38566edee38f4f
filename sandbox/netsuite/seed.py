"""The seeded world as this account's records: the same ids at every start."""

from collections.abc import Iterable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from sandbox import world
from sandbox.netsuite.books import NOT_TAXABLE, RECEIVABLES
from sandbox.netsuite.catalog import SETUP, TYPES
from sandbox.netsuite.records import Records
from sandbox.netsuite.store import Line, Record
from sandbox.netsuite.wire import ZERO

CURRENCIES = {"USD": ("1", "US Dollar", "1"), "GBP": ("2", "British Pound", "1.27"), "EUR": ("4", "Euro", "1.08")}
TERMS = (("2", "Net 30", 30), ("3", "Net 60", 60), ("4", "Due on receipt", 0))
NET_30 = "2"
ACCOUNTS = (
    ("1", "1010", "Operating Account", "Bank"),
    (RECEIVABLES, "1200", "Accounts Receivable", "AcctRec"),
    ("3", "1499", "Undeposited Funds", "OthCurrAsset"),
    ("4", "2200", "Sales Tax Payable", "OthCurrLiab"),
    ("5", "2400", "Deferred Revenue", "DeferRevenue"),
    ("6", "4000", "Subscription Revenue", "Income"),
    ("7", "4010", "Usage Revenue", "Income"),
    ("8", "4020", "Services Revenue", "Income"),
    ("9", "4030", "Hardware Revenue", "Income"),
    ("10", "5000", "Cost of Goods Sold", "COGS"),
    ("11", "6100", "Bad Debt Expense", "Expense"),
    ("12", "3200", "Retained Earnings", "Equity"),
)
DEPARTMENTS = (("1", "Sales"), ("2", "Services"), ("3", "Engineering"), ("4", "Finance"))
CLASSES = (("1", "Subscription"), ("2", "Usage"), ("3", "Services"), ("4", "Hardware"))
INCOME = {"annual": "6", "monthly_usage": "7", "service": "8", "goods": "9", "bundle": "6"}
CLASS = {"annual": "1", "monthly_usage": "2", "service": "3", "goods": "4", "bundle": "1"}


def seed(records: Records) -> None:
    """Fills an empty account."""
    today = records.books.today()
    _company(records)
    _periods(records, today)
    for product in world.PRODUCTS:
        if product.netsuite_item:
            _item(records, product)
    for party in world.PARTIES:
        if party.in_erp:
            _customer(records, party)
    for family in SETUP - {"accountingPeriod"}:
        records.books.store.last_id[family] = 100


def _add(records: Records, kind: str, internal: str, values: dict[str, Any], **lines: list[Line]) -> Record:
    stamp = records.books.clock()
    record = Record(TYPES[kind], internal, {**values, "createdDate": stamp, "lastModifiedDate": stamp}, lines)
    records.books.store.put(record)
    return record


def _company(records: Records) -> None:
    for symbol, (internal, name, rate) in CURRENCIES.items():
        base = symbol == "USD"
        values = {"name": name, "symbol": symbol, "isBaseCurrency": base, "exchangeRate": Decimal(rate), "currencyPrecision": 2}
        _add(records, "currency", internal, values | {"isInactive": False})
    for entity in world.ENTITIES:
        names = {"name": entity.name, "legalName": entity.name, "country": entity.country, "externalId": entity.key}
        values = names | {"currency": CURRENCIES[entity.currency][0], "isInactive": False, "isElimination": False}
        _add(records, "subsidiary", entity.netsuite_id, values)
    for internal, name, days in TERMS:
        _add(records, "term", internal, {"name": name, "daysUntilNetDue": days, "isInactive": False})
    _add(records, "priceLevel", "1", {"name": "Base Price", "isInactive": False})
    for internal, number, name, kind in ACCOUNTS:
        _add(records, "account", internal, {"acctNumber": number, "acctName": name, "acctType": kind, "isInactive": False})
    for kind, named in (("department", DEPARTMENTS), ("classification", CLASSES)):
        for internal, name in named:
            _add(records, kind, internal, {"name": name, "isInactive": False})
    _places(records)


def _places(records: Records) -> None:
    """Locations and taxes, per legal entity."""
    _add(records, "salesTaxItem", NOT_TAXABLE, {"itemId": "-Not Taxable-", "rate": Decimal(0), "isInactive": False})
    for entity in world.ENTITIES:
        city = {"US": "San Francisco", "DE": "Berlin"}.get(entity.country, entity.name)
        _add(records, "location", entity.netsuite_id, {"name": city, "subsidiary": entity.netsuite_id, "isInactive": False})
        place = {"country": entity.country, "isInactive": False}
        tax_type = {"US": "Sales Tax"}.get(entity.country, f"VAT_{entity.country}")
        _add(records, "taxType", entity.netsuite_id, place | {"name": tax_type})
        rate = {"rate": Decimal(entity.tax_percent), "taxType": entity.netsuite_id, "subsidiary": [entity.netsuite_id]}
        internal = str(10 + int(entity.netsuite_id))
        _add(records, "salesTaxItem", internal, {"itemId": entity.tax_code, **rate, **place})
        records.books.store.domestic_tax[entity.netsuite_id] = internal


def _periods(records: Records, today: date) -> None:
    """Years, their quarters and the quarters' months; a year or quarter is closed when all its months are."""
    months = world.periods(today)
    for year in dict.fromkeys(one.start.year for one in months):
        of_year = [one for one in months if one.start.year == year]
        whole = _period(records, f"FY {year}", of_year, None, isYear=True)
        for quarter in range(4):
            of_quarter = of_year[quarter * 3 : quarter * 3 + 3]
            parent = _period(records, f"Q{quarter + 1} {year}", of_quarter, whole, isQuarter=True)
            for one in of_quarter:
                month = _period(records, f"{one.start:%b} {year}", [one], parent, isPosting=True)
                records.books.store.months[year, one.start.month] = month


def _period(records: Records, name: str, months: list[world.Period], parent: str | None, **kind: bool) -> str:
    closed = all(one.closed for one in months)
    first, last = months[0].start, months[-1].end - timedelta(days=1)
    values: dict[str, Any] = {"periodName": name, "startDate": first, "endDate": last}
    values |= {"isYear": False, "isQuarter": False, "isPosting": False}
    locks = dict.fromkeys(("closed", "allLocked", "arLocked", "apLocked", "payrollLocked"), closed)
    values |= {**kind, **locks, "isAdjust": False, "isInactive": False, "allowNonGLChanges": False}
    if parent:
        values["parent"] = parent
    if closed:
        values["closedOnDate"] = last + timedelta(days=10)
    return _add(records, "accountingPeriod", records.books.store.next_id("accountingPeriod"), values).id


def _item(records: Records, product: world.Product) -> None:
    kind = "inventoryItem" if product.kind == "goods" else "serviceSaleItem"
    values: dict[str, Any] = {
        "itemId": product.netsuite_item,
        "displayName": product.name,
        "salesDescription": product.name,
        "externalId": product.sku,
        "isInactive": False,
        "includeChildren": True,
        "subsidiary": [one.netsuite_id for one in world.ENTITIES],
        "incomeAccount": INCOME[product.kind],
        "class": CLASS[product.kind],
    }
    if product.kind == "annual":
        values["deferredRevenueAccount"] = "5"
    if product.in_stock is not None:
        stock = Decimal(product.in_stock)
        values |= {"quantityAvailable": stock, "quantityOnHand": stock, "quantityCommitted": Decimal(0)}
    _add(records, kind, records.books.store.next_id("item"), values, price=list(_prices(product)))


def _prices(product: world.Product) -> Iterable[Line]:
    for number, (symbol, price) in enumerate(product.prices.items(), 1):
        column = {"currencyPage": CURRENCIES[symbol][0], "priceLevel": "1", "quantity": {"value": 0}}
        yield {"line": number, **column, "price": Decimal(price)}


def _customer(records: Records, party: world.Party) -> None:
    books = records.books
    entity = next(one for one in world.ENTITIES if one.currency == party.currency)
    internal = books.store.next_id("entity")
    values: dict[str, Any] = {
        "entityId": books.store.next_number("CUST"),
        "companyName": party.name,
        "email": party.email,
        "externalId": party.key,
        "subsidiary": entity.netsuite_id,
        "currency": CURRENCIES[party.currency][0],
        "terms": NET_30,
        "isPerson": False,
        "creditLimit": Decimal(party.credit_limit),
        "creditHoldOverride": "AUTO",
        "isInactive": not party.active,
        "entityStatus": "13",
        "receivablesAccount": RECEIVABLES,
        "priceLevel": "1",
    }
    if party.tax_id:
        values["defaultTaxReg"] = party.tax_id
    parent = books.store.by_external("customer", party.parent) if party.parent else None
    if parent:
        values["parent"] = parent.id
    _add(records, "customer", internal, values, addressBook=_addresses(party))
    if Decimal(party.balance):
        _opening(records, party, internal, values)


def _addresses(party: world.Party) -> list[Line]:
    if party.address is None:
        return []
    at = party.address
    place = {"addressee": party.name, "addr1": at.line1, "city": at.city, "zip": at.postal_code, "country": at.country}
    if at.state:
        place["state"] = at.state
    use = {"defaultBilling": True, "defaultShipping": True, "isResidential": False}
    return [{"line": 1, **use, "addressBookAddress": place}]


def _opening(records: Records, party: world.Party, customer: str, values: dict[str, Any]) -> None:
    """The opening balance as one untaxed invoice, net 30: of today, or due as many days ago as the customer is late."""
    books = records.books
    due = books.today() + timedelta(days=-party.overdue_days if party.overdue_days else 30)
    day, amount = due - timedelta(days=30), Decimal(party.balance)
    header = {name: values[name] for name in ("subsidiary", "currency", "terms")}
    header |= {"entity": customer, "tranId": books.store.next_number("INV"), "tranDate": day, "dueDate": due}
    header |= {"exchangeRate": Decimal(1), "memo": "Opening balance", "account": RECEIVABLES, "approvalStatus": "2"}
    header |= {"subtotal": amount, "taxTotal": ZERO, "total": amount}
    month = books.period(day)
    if month:
        header["postingPeriod"] = month.id
    _add(records, "invoice", books.store.next_id("transaction"), header, item=[_opening_line(records, amount)])


def _opening_line(records: Records, amount: Decimal) -> Line:
    service = next(iter(records.books.store.all("serviceSaleItem")))
    line: Line = {
        "line": 1,
        "item": service.id,
        "itemType": service.type.code,
        "description": "Opening balance",
        "isClosed": False,
    }
    line |= {"quantity": Decimal(1), "rate": amount, "amount": amount, "grossAmt": amount}
    return line | {"taxCode": NOT_TAXABLE, "taxRate1": Decimal(0), "tax1Amt": ZERO, "taxAmount": ZERO}
