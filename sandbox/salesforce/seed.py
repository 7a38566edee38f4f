"""The world as this org knows it: accounts, catalogue with standard prices, and an opportunity behind each quote."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

from sandbox import world
from sandbox.salesforce import ids, writing
from sandbox.salesforce.objects import OBJECTS
from sandbox.salesforce.store import Record, Store

OPEN_STAGE = {"Draft": "Proposal/Price Quote", "Approved": "Negotiation/Review", "Accepted": "Closed Won"}


def seed(store: Store) -> None:
    """Fills an empty store. Ids depend on the order below only, dates on the day of the store's clock."""
    made = _Seed(store)
    made.organization()
    accounts = {party.key: made.account(party) for party in world.PARTIES}
    made.hierarchy(accounts)
    book = made.create("Pricebook2", {"Name": "Standard Price Book", "IsActive": True}, IsStandard=True)
    entries: dict[tuple[str, str], str] = {}
    for product in world.PRODUCTS:
        entries |= made.product(product, book)
    currencies = {party.key: party.currency for party in world.PARTIES}
    for quote in world.QUOTES:
        made.quote(quote, accounts[quote.party], currencies[quote.party], book, entries)


class _Seed:
    def __init__(self, store: Store) -> None:
        self.store = store
        self.today = store.clock().date()

    def create(self, sobject: str, body: dict[str, Any], **computed: Any) -> str:
        return writing.create(self.store, OBJECTS[sobject], body, **computed)

    def organization(self) -> None:
        for name, id_, own in (
            ("Organization", ids.ORGANIZATION, {"Name": world.ENTITIES[0].name, "IsSandbox": True, "InstanceName": "CS1"}),
            ("User", ids.USER, {"Username": "integration@lumenworks.example", "Name": "Integration User", "IsActive": True}),
        ):
            now = self.store.now()
            blank: Record = dict.fromkeys(OBJECTS[name].fields)
            system = {"Id": id_, "IsDeleted": False, "CreatedDate": now, "LastModifiedDate": now, "SystemModstamp": now}
            with self.store.transaction():
                self.store.put(name, id_, blank | system | {"CreatedById": ids.USER, "LastModifiedById": ids.USER} | own)

    def account(self, party: world.Party) -> str:
        body: dict[str, Any] = {
            "Name": party.name,
            "AccountNumber": party.key,
            "CurrencyIsoCode": party.currency,
            "Email__c": party.email,
            "Tax_Id__c": party.tax_id,
            "IsActive__c": party.active,
        }
        if (address := party.address) is not None:
            body |= {
                "BillingStreet": address.line1,
                "BillingCity": address.city,
                "BillingState": address.state,
                "BillingPostalCode": address.postal_code,
                "BillingCountry": address.country,
            }
        id_ = self.create("Account", body)
        contact = {"AccountId": id_, "FirstName": "Accounts", "LastName": "Payable", "Email": party.email}
        self.create("Contact", contact | {"CurrencyIsoCode": party.currency})
        return id_

    def hierarchy(self, accounts: dict[str, str]) -> None:
        for party in world.PARTIES:
            if party.parent is not None:
                writing.update(self.store, OBJECTS["Account"], accounts[party.key], {"ParentId": accounts[party.parent]})

    def product(self, product: world.Product, book: str) -> dict[tuple[str, str], str]:
        """The product and its standard price in each currency, as (sku, currency) to price book entry."""
        body = {"Name": product.name, "ProductCode": product.sku, "Family": product.kind, "IsActive": True}
        id_ = self.create("Product2", body | {"StockKeepingUnit": product.sku, "Gateway_Sku__c": product.sku})
        return {
            (product.sku, currency): self.create(
                "PricebookEntry",
                {
                    "Pricebook2Id": book,
                    "Product2Id": id_,
                    "UnitPrice": Decimal(price),
                    "CurrencyIsoCode": currency,
                    "IsActive": True,
                },
            )
            for currency, price in product.prices.items()
        }

    def quote(self, quote: world.Quote, account: str, currency: str, book: str, entries: dict[tuple[str, str], str]) -> None:
        expires = (self.today + timedelta(days=quote.expires_in_days)).isoformat()
        deal = {"Name": quote.name, "AccountId": account, "Pricebook2Id": book, "CurrencyIsoCode": currency}
        opportunity = self.create("Opportunity", deal | {"StageName": OPEN_STAGE[quote.status], "CloseDate": expires})
        offer = {"Name": quote.name, "OpportunityId": opportunity, "Pricebook2Id": book, "Status": quote.status}
        terms = {
            "ExpirationDate": expires,
            "Contract_Months__c": quote.contract_months,
            "Contract_Start__c": self.today.isoformat(),
        }
        id_ = self.create("Quote", offer | terms, QuoteNumber=quote.key)
        for order, line in enumerate(quote.lines, 1):
            priced = {
                "PricebookEntryId": entries[line.sku, currency],
                "Quantity": line.quantity,
                "UnitPrice": Decimal(line.unit_price),
                "SortOrder": order,
            }
            sold = self.create("OpportunityLineItem", priced | {"OpportunityId": opportunity})
            self.create("QuoteLineItem", priced | {"QuoteId": id_, "OpportunityLineItemId": sold})
        self.store.numbers["Quote"] = max(self.store.numbers.get("Quote", 0), int(quote.key.removeprefix("Q-")) - 1000)
