"""Which records there are and what fields they have; nothing else decides whether a property is known."""

from sandbox.netsuite.schema import Field, RecordType, parse

COUNTRIES = "{US|CA|MX|GB|DE|AT|CH|FR|IT|ES|NL}"
COMMON = "externalId lastModifiedDate:datetime! createdDate:datetime! "
DIMENSIONS = "department:>department class:>classification location:>location "
ADDRESS = parse(f"addressee attention addr1 addr2 addr3 addrPhone addrText! city state zip country:{COUNTRIES} override:boolean")
BOOK = {
    **parse("line:integer label defaultBilling:boolean defaultShipping:boolean isResidential:boolean addressId!"),
    "addressBookAddress": Field("addressBookAddress", "subrecord", fields=ADDRESS),
}
TAX_REGISTRATIONS = parse(f"line:integer taxRegistrationNumber nexusCountry:{COUNTRIES} nexus")
PRICES = {
    **parse("line:integer currencyPage:>currency priceLevel:>priceLevel price:number"),
    "quantity": Field("quantity", "subrecord", fields=parse("value:integer")),
}
ITEM_LINE = parse(f"""
    line:integer item:>item itemType! description quantity:number rate:number amount:number grossAmt:number price:>priceLevel
    taxCode:>salesTaxItem taxRate1:number! tax1Amt:number! taxAmount:number! taxDetailsReference {DIMENSIONS}
    deferRevRec:boolean revRecSchedule revRecStartDate:date revRecEndDate:date revRecTermInMonths:integer
    orderDoc:>transaction orderLine:integer isClosed:boolean quantityBilled:number! quantityFulfilled:number!
    quantityCommitted:number! quantityAvailable:number! quantityOnHand:number! lineUniqueKey!
""")
TAX_DETAILS = parse("""
    line:integer taxDetailsReference taxType:>taxType taxCode:>salesTaxItem taxBasis:number taxRate:number taxAmount:number
""")
APPLY = parse("""
    line:integer doc:>transaction apply:boolean amount:number due:number! total:number! refNum! type! applyDate:date!
""")
JOURNAL_LINE = parse(f"line:integer account:>account debit:number credit:number memo entity:>customer {DIMENSIONS}")

POSTED = "postingPeriod:>accountingPeriod account:>account "
SALES = f"""
    {COMMON} {DIMENSIONS} tranId tranDate:date entity:>customer subsidiary:>subsidiary currency:>currency exchangeRate:number
    memo otherRefNum email terms:>term startDate:date endDate:date billDate:date shipDate:date createdFrom:>transaction
    subtotal:number! taxTotal:number! total:number! taxDetailsOverride:boolean deferredRevenue:number!
"""
CASH = f"""
    {COMMON} {DIMENSIONS} {POSTED} tranId tranDate:date customer:>customer subsidiary:>subsidiary currency:>currency
    exchangeRate:number memo total:number! paymentMethod
"""
ITEM = f"""
    {COMMON} {DIMENSIONS} itemId displayName salesDescription description isInactive:boolean includeChildren:boolean
    subsidiary:*subsidiary incomeAccount:>account deferredRevenueAccount:>account taxSchedule unitsType cost:number
    itemType! basePrice:number!
"""
CUSTOMER = f"""
    {COMMON} dateCreated:datetime! entityId entityStatus:{{6|7|13}} companyName isPerson:boolean firstName lastName email phone
    url comments defaultAddress! emailPreference:{{DEFAULT|HTML|PDF}} subsidiary:>subsidiary currency:>currency terms:>term
    creditLimit:number creditHoldOverride:{{AUTO|ON|OFF}} balance:number! overdueBalance:number! daysOverdue:integer!
    unbilledOrders:number! depositBalance:number! consolBalance:number! consolOverdueBalance:number!
    consolUnbilledOrders:number! consolDaysOverdue:integer! aging:number! aging1:number! aging2:number! aging3:number!
    aging4:number! receivablesAccount:>account priceLevel:>priceLevel taxItem:>salesTaxItem taxable:boolean defaultTaxReg
    vatRegNumber resaleNumber accountNumber parent:>customer representingSubsidiary:>subsidiary isInactive:boolean
"""
ACCOUNT_TYPES = "{Bank|AcctRec|OthCurrAsset|OthCurrLiab|DeferRevenue|Income|COGS|Expense|Equity}"
PERIOD = f"""
    {COMMON} periodName startDate:date endDate:date isYear:boolean isQuarter:boolean isAdjust:boolean isPosting:boolean
    isInactive:boolean closed:boolean closedOnDate:date allLocked:boolean arLocked:boolean apLocked:boolean
    payrollLocked:boolean allowNonGLChanges:boolean parent:>accountingPeriod fiscalCalendar
"""
SUBSIDIARY = f"""
    {COMMON} name legalName fullName! email country:{COUNTRIES} currency:>currency parent:>subsidiary
    isInactive:boolean isElimination:boolean
"""
TAX_ITEM = f"""
    {COMMON} itemId displayName description rate:number taxType:>taxType subsidiary:*subsidiary country:{COUNTRIES}
    isInactive:boolean
"""
STOCK = "quantityAvailable:number! quantityOnHand:number! quantityCommitted:number! "
ORDER = SALES + "orderStatus:{A|B|C|D|E|F|G|H} status:{A|B|C|D|E|F|G|H}! billingSchedule shipComplete:boolean"
INVOICE = f"""
    {SALES} {POSTED} dueDate:date status:{{A|B}}! approvalStatus:{{11|1|2|3}} amountPaid:number! amountRemaining:number!
    recognizedRevenue:number! toBeEmailed:boolean toBePrinted:boolean
"""
CREDIT = f"""
    {SALES} {POSTED} status:{{A|B}}! applied:number! unapplied:number! amountRemaining:number! toBeEmailed:boolean
"""
PAYMENT = f"""
    {CASH} payment:number applied:number! unapplied:number! undepFunds:boolean checkNum toBeEmailed:boolean status:{{C}}!
    autoApply:boolean
"""
REFUND = CASH + "arAcct:>account status:{A}!"
JOURNAL = f"""
    {COMMON} tranId tranDate:date subsidiary:>subsidiary currency:>currency exchangeRate:number memo
    postingPeriod:>accountingPeriod approved:boolean reversalDate:date total:number!
"""
CURRENCY = f"{COMMON} name symbol isBaseCurrency:boolean isInactive:boolean exchangeRate:number currencyPrecision:integer"
SOLD = {"item": ITEM_LINE, "taxDetails": TAX_DETAILS}
PRICED = {"price": PRICES}


def _setup(name: str, label: str, declared: str) -> RecordType:
    return RecordType(name, name, label, parse(declared), {})


def _item(name: str, code: str, declared: str) -> RecordType:
    return RecordType(name, "item", "itemId", parse(declared), PRICED, code)


_SETUP = (
    _setup("subsidiary", "name", SUBSIDIARY),
    _setup("currency", "name", CURRENCY),
    _setup("term", "name", COMMON + "name daysUntilNetDue:integer discountPercent:number isInactive:boolean"),
    _setup("priceLevel", "name", COMMON + "name discountPct:number isOnline:boolean isInactive:boolean"),
    _setup("account", "acctName", f"{COMMON} acctNumber acctName acctType:{ACCOUNT_TYPES} currency:>currency isInactive:boolean"),
    _setup("department", "name", COMMON + "name parent:>department isInactive:boolean"),
    _setup("classification", "name", COMMON + "name parent:>classification isInactive:boolean"),
    _setup("location", "name", COMMON + "name subsidiary:>subsidiary parent:>location isInactive:boolean"),
    _setup("accountingPeriod", "periodName", PERIOD),
    _setup("taxType", "name", f"{COMMON} name description country:{COUNTRIES} isInactive:boolean"),
    _setup("salesTaxItem", "itemId", TAX_ITEM),
)
_LISTS = (
    RecordType("customer", "entity", "entityId", parse(CUSTOMER), {"addressBook": BOOK, "taxRegistration": TAX_REGISTRATIONS}),
    _item("inventoryItem", "InvtPart", ITEM + STOCK),
    _item("serviceSaleItem", "Service", ITEM),
    _item("nonInventorySaleItem", "NonInvtPart", ITEM),
)
_TRANSACTIONS = (
    RecordType("salesOrder", "transaction", "tranId", parse(ORDER), SOLD, "SalesOrd"),
    RecordType("invoice", "transaction", "tranId", parse(INVOICE), SOLD, "CustInvc"),
    RecordType("creditMemo", "transaction", "tranId", parse(CREDIT), {**SOLD, "apply": APPLY}, "CustCred"),
    RecordType("customerPayment", "transaction", "tranId", parse(PAYMENT), {"apply": APPLY}, "CustPymt"),
    RecordType("customerRefund", "transaction", "tranId", parse(REFUND), {"apply": APPLY}, "CustRfnd"),
    RecordType("journalEntry", "transaction", "tranId", parse(JOURNAL), {"line": JOURNAL_LINE}, "Journal"),
)
TYPES = {one.name: one for one in (*_SETUP, *_LISTS, *_TRANSACTIONS)}
BY_LOWER = {name.lower(): one for name, one in TYPES.items()}
SETUP = frozenset(one.name for one in _SETUP)
FAMILIES = {
    family: tuple(one for one in TYPES.values() if one.family == family)
    for family in dict.fromkeys(one.family for one in TYPES.values())
}
_ORDER_STATUS = {
    "A": "Pending Approval",
    "B": "Pending Fulfillment",
    "C": "Cancelled",
    "D": "Partially Fulfilled",
    "E": "Pending Billing/Partially Fulfilled",
    "F": "Pending Billing",
    "G": "Billed",
    "H": "Closed",
}
# (record, field) -> enumeration id -> the name that refName shows; an id without a name shows itself.
ENUM_NAMES: dict[tuple[str, str], dict[str, str]] = {
    ("salesOrder", "orderStatus"): _ORDER_STATUS,
    ("salesOrder", "status"): _ORDER_STATUS,
    ("invoice", "status"): {"A": "Open", "B": "Paid In Full"},
    ("invoice", "approvalStatus"): {"1": "Pending Approval", "2": "Approved", "3": "Rejected", "11": "Open"},
    ("creditMemo", "status"): {"A": "Open", "B": "Fully Applied"},
    ("customerPayment", "status"): {"C": "Deposited"},
    ("customerRefund", "status"): {"A": "Not Deposited"},
    ("customer", "creditHoldOverride"): {"AUTO": "Auto", "ON": "On", "OFF": "Off"},
    ("customer", "entityStatus"): {"6": "LEAD-Unqualified", "7": "PROSPECT-In Discussion", "13": "CUSTOMER-Closed Won"},
}
