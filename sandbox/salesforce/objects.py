"""The org's objects: standard fields as the Object Reference names them, plus the custom fields an integration adds.

The org has Quotes and multiple currencies enabled. `AccountNumber` and the gateway's ids are unique; the ids of other
systems are external ids that may repeat, so an upsert by them can meet several records.
"""

from sandbox.salesforce.schema import OWNER, SObject, sobject


def _address(prefix: str) -> str:
    return f"""
{prefix}Street textarea
{prefix}City string(40)
{prefix}State string(80)
{prefix}PostalCode string(20)
{prefix}Country string(80)
{prefix}Address address readonly
"""


CURRENCIES = "{USD|EUR|GBP}"
CURRENCY = f"CurrencyIsoCode picklist(3) {CURRENCIES} =USD\n"
CURRENCY_COPIED = "CurrencyIsoCode picklist(3) readonly\n"  # from the parent, for good
ORDER_REFERENCES = """
Gateway_Order_Id__c string(80) external
ERP_Order_Number__c string(80) external
Billing_Subscription_Id__c string(80) external
"""

OBJECTS: dict[str, SObject] = {
    o.name: o
    for o in (
        sobject(
            "Account",
            "001",
            """
Name string(255) required indexed
AccountNumber string(40) unique
Type picklist
ParentId reference >Account/Parent/ChildAccounts
Phone phone(40)
Fax phone(40)
Website url
Industry picklist
AnnualRevenue currency
NumberOfEmployees int
Description textarea(32000) long
Site string(80)
AccountSource picklist
Gateway_Id__c string(80) unique external
ERP_Id__c string(80) external
Billing_Account_Id__c string(80) external
Payment_Status__c picklist
Onboarding_Status__c picklist
Tax_Id__c string(80)
Email__c email(80)
IsActive__c boolean =true
"""
            + _address("Billing")
            + _address("Shipping")
            + CURRENCY
            + OWNER,
        ),
        sobject(
            "Contact",
            "003",
            """
AccountId reference >Account/Account/Contacts cascade
LastName string(80) required
FirstName string(40)
Salutation picklist(40)
Name string(121) readonly
Email email(80) indexed
Phone phone(40)
MobilePhone phone(40)
Title string(128)
Department string(80)
ReportsToId reference >Contact/ReportsTo
Description textarea(32000) long
Gateway_Id__c string(80) unique external
"""
            + _address("Mailing")
            + CURRENCY
            + OWNER,
        ),
        sobject(
            "Product2",
            "01t",
            """
Name string(255) required
ProductCode string(255) indexed
Description textarea(4000) long
IsActive boolean
Family picklist(40)
QuantityUnitOfMeasure picklist
StockKeepingUnit string(180) indexed
DisplayUrl url(1000)
Gateway_Sku__c string(80) unique external
"""
            + CURRENCY,
        ),
        sobject(
            "Pricebook2",
            "01s",
            """
Name string(255) required
Description string(255)
IsActive boolean
IsStandard boolean readonly
""",
        ),
        sobject(
            "PricebookEntry",
            "01u",
            f"""
Name string(255) readonly
Pricebook2Id reference required createonly >Pricebook2/Pricebook2/PricebookEntries cascade
Product2Id reference required createonly >Product2/Product2/PricebookEntries cascade
ProductCode string(255) readonly indexed
UnitPrice currency required
IsActive boolean
UseStandardPrice boolean
CurrencyIsoCode picklist(3) createonly {CURRENCIES} =USD
""",
        ),
        sobject(
            "Opportunity",
            "006",
            """
Name string(120) required
AccountId reference >Account/Account/Opportunities cascade
StageName picklist required
CloseDate date required
Amount currency
Probability percent
ExpectedRevenue currency readonly
Type picklist
NextStep string(255)
LeadSource picklist
IsClosed boolean readonly
IsWon boolean readonly
HasOpportunityLineItem boolean readonly
Pricebook2Id reference >Pricebook2/Pricebook2
Description textarea(32000) long
"""
            + ORDER_REFERENCES
            + CURRENCY
            + OWNER,
        ),
        sobject(
            "OpportunityLineItem",
            "00k",
            """
OpportunityId reference required createonly >Opportunity/Opportunity/OpportunityLineItems cascade
SortOrder int
PricebookEntryId reference required createonly >PricebookEntry/PricebookEntry
Product2Id reference readonly >Product2/Product2
ProductCode string(255) readonly
Name string(376) readonly
Quantity double required
Discount percent
TotalPrice currency
UnitPrice currency
ListPrice currency readonly
Subtotal currency readonly
ServiceDate date
Description string(255)
"""
            + CURRENCY_COPIED,
        ),
        sobject(
            "Quote",
            "0Q0",
            """
Name string(255) required
QuoteNumber string(30) readonly indexed
OpportunityId reference required createonly >Opportunity/Opportunity/Quotes cascade
AccountId reference readonly >Account/Account/Quotes
ContactId reference >Contact/Contact
Pricebook2Id reference >Pricebook2/Pricebook2
Status picklist {Draft|Needs_Review|In_Review|Approved|Rejected|Presented|Accepted|Denied} =Draft
ExpirationDate date
Subtotal currency readonly
Discount percent readonly
TotalPrice currency readonly
Tax currency
ShippingHandling currency
GrandTotal currency readonly
LineItemCount int readonly
IsSyncing boolean readonly
Description textarea(32000) long
Email email
Phone phone
Contract_Months__c double
Contract_Start__c date
"""
            + _address("Billing")
            + _address("Shipping")
            + ORDER_REFERENCES
            + CURRENCY_COPIED
            + OWNER,
        ),
        sobject(
            "QuoteLineItem",
            "0QL",
            """
QuoteId reference required createonly >Quote/Quote/QuoteLineItems cascade
LineNumber string(255) readonly
PricebookEntryId reference required createonly >PricebookEntry/PricebookEntry
Product2Id reference readonly >Product2/Product2
Quantity double required
UnitPrice currency required
ListPrice currency readonly
Discount percent
Subtotal currency readonly
TotalPrice currency readonly
ServiceDate date
Description string(225)
SortOrder int
OpportunityLineItemId reference >OpportunityLineItem/OpportunityLineItem
"""
            + CURRENCY_COPIED,
        ),
        sobject(
            "Order",
            "801",
            """
AccountId reference required >Account/Account/Orders cascade
OpportunityId reference >Opportunity/Opportunity/Orders
QuoteId reference >Quote/Quote/Orders
Pricebook2Id reference >Pricebook2/Pricebook2
OrderNumber string(30) readonly indexed
Name string(80)
EffectiveDate date required
EndDate date
Status picklist required {Draft|Activated}
StatusCode picklist readonly
Type picklist
PoNumber string(80)
PoDate date
OrderReferenceNumber string(80)
BillToContactId reference >Contact/BillToContact
ShipToContactId reference >Contact/ShipToContact
TotalAmount currency readonly
ActivatedDate datetime readonly
Description textarea(32000) long
Gateway_Order_Id__c string(80) unique external
ERP_Order_Number__c string(80) external
Billing_Subscription_Id__c string(80) external
"""
            + _address("Billing")
            + _address("Shipping")
            + CURRENCY
            + OWNER,
        ),
        sobject(
            "OrderItem",
            "802",
            """
OrderId reference required createonly >Order/Order/OrderItems cascade
OrderItemNumber string(30) readonly
PricebookEntryId reference required createonly >PricebookEntry/PricebookEntry
Product2Id reference readonly >Product2/Product2
Quantity double required
AvailableQuantity double readonly
UnitPrice currency required
ListPrice currency readonly
TotalPrice currency readonly
ServiceDate date
EndDate date
Description string(255)
QuoteLineItemId reference >QuoteLineItem/QuoteLineItem
"""
            + CURRENCY_COPIED,
        ),
        sobject("User", "005", "Username string(80) indexed\nName string(121)\nEmail email\nIsActive boolean\n", writable=False),
        sobject(
            "Organization",
            "00D",
            "Name string(80)\nIsSandbox boolean\nOrganizationType picklist\nInstanceName string(5)\n",
            writable=False,
        ),
    )
}

SPELLED: dict[str, SObject] = {name.lower(): o for name, o in OBJECTS.items()}
PREFIXES: dict[str, SObject] = {o.prefix: o for o in OBJECTS.values()}


def children() -> dict[str, dict[str, tuple[SObject, str]]]:
    """parent object -> lower-case child relationship name -> (child object, its reference field)."""
    found: dict[str, dict[str, tuple[SObject, str]]] = {name: {} for name in OBJECTS}
    for child in OBJECTS.values():
        for field in child.fields.values():
            if field.child_relationship and field.parent:
                found[field.parent][field.child_relationship.lower()] = (child, field.name)
    return found


CHILDREN = children()
