"""What people do in the platforms themselves, by their own APIs: quotes in Salesforce, prices in Stripe, items in NetSuite."""

from datetime import date, timedelta
from time import time

from joserfc import jwt
from joserfc.jwk import ECKey

from tests.journeys.deployment import plain

API = "/services/data/v66.0"
PARTS = 25  # of one Salesforce composite call
ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


async def account_id(deployment, number):
    accounts = await deployment.records("salesforce", "Account")
    return next(one["Id"] for one in accounts if one["AccountNumber"] == number)


async def quote_id(deployment, number):
    quotes = await deployment.records("salesforce", "Quote")
    return next(one["Id"] for one in quotes if one["QuoteNumber"] == number)


async def write_quotes(deployment, number, lines, count):
    """Writes approved quotes for the account of this number, each with an opportunity of its own; answers their ids.

    `lines`: (sku, quantity, unit price as text).
    """
    account = next(one for one in await deployment.records("salesforce", "Account") if one["AccountNumber"] == number)
    products = {one["Id"]: one["ProductCode"] for one in await deployment.records("salesforce", "Product2")}
    entries = {
        products[one["Product2Id"]]: one
        for one in await deployment.records("salesforce", "PricebookEntry")
        if one["CurrencyIsoCode"] == account["CurrencyIsoCode"]
    }
    parts = [part for name in range(count) for part in _quote(account, entries, lines, name)]
    a_quote = len(parts) // count
    at_once = PARTS // a_quote * a_quote
    made = []
    async with plain(deployment.platform("salesforce"), timeout=30) as crm:
        await _sign_in_to_salesforce(crm)
        for first in range(0, len(parts), at_once):
            body = {"allOrNone": True, "compositeRequest": parts[first : first + at_once]}
            answers = (await crm.post(f"{API}/composite", json=body)).json()["compositeResponse"]
            assert all(one["httpStatusCode"] == 201 for one in answers), answers
            made += [one["body"]["id"] for one in answers if one["referenceId"].startswith("quote")]
    return made


def _quote(account, entries, lines, name):
    """The parts of a composite call that write one quote."""
    book = next(iter(entries.values()))["Pricebook2Id"]
    later = (date.today() + timedelta(days=30)).isoformat()
    deal = {"AccountId": account["Id"], "StageName": "Negotiation/Review", "CloseDate": later}
    offer = {"OpportunityId": f"@{{deal{name}.id}}", "Status": "Approved", "ExpirationDate": later, "Contract_Months__c": 12}
    yield _create("Opportunity", f"deal{name}", Name=f"Deal {name}", CurrencyIsoCode=account["CurrencyIsoCode"], **deal)
    yield _create("Quote", f"quote{name}", Name=f"Quote {name}", Pricebook2Id=book, **offer)
    for number, (sku, quantity, price) in enumerate(lines):
        sold = {"PricebookEntryId": entries[sku]["Id"], "Quantity": quantity, "UnitPrice": price}
        yield _create("QuoteLineItem", f"line{name}_{number}", QuoteId=f"@{{quote{name}.id}}", **sold)


def _create(sobject, reference, **body):
    return {"method": "POST", "url": f"{API}/sobjects/{sobject}", "referenceId": reference, "body": body}


async def _sign_in_to_salesforce(crm):
    form = {"grant_type": "client_credentials", "client_id": "sandbox-salesforce", "client_secret": "sandbox-secret"}
    token = (await crm.post("/services/oauth2/token", data=form)).json()["access_token"]
    crm.headers["Authorization"] = f"Bearer {token}"


async def price_in_stripe(deployment, lookup_key, product, cents, **recurring):
    async with plain(deployment.platform("stripe")) as stripe:
        form = {"product": product, "currency": lookup_key.rpartition("/")[2], "unit_amount": cents, "lookup_key": lookup_key}
        form |= {"tax_behavior": "exclusive", **{f"recurring[{name}]": value for name, value in recurring.items()}}
        answer = await stripe.post("/v1/prices", data=form, headers={"Authorization": "Bearer sk_test_sandbox"})
    assert answer.status_code == 200, answer.text


async def item_in_netsuite(deployment, name, price):
    """A service that both legal entities sell at this price in US dollars."""
    async with plain(deployment.platform("netsuite") + "/services/rest") as netsuite:
        key = ECKey.import_key((deployment.data / "sandbox" / "netsuite.pem").read_text())
        now = int(time())
        place = f"{deployment.platform('netsuite')}/services/rest/auth/oauth2/v1/token"
        claims = {"iss": "sandbox-netsuite", "scope": ["rest_webservices"], "aud": place, "iat": now, "exp": now + 600}
        assertion = jwt.encode({"typ": "JWT", "alg": "ES256", "kid": "trivium-sandbox"}, claims, key, algorithms=["ES256"])
        form = {"grant_type": "client_credentials", "client_assertion_type": ASSERTION, "client_assertion": assertion}
        token = (await netsuite.post("/auth/oauth2/v1/token", data=form)).json()["access_token"]
        body = {"itemId": name, "displayName": name, "subsidiary": {"items": [{"id": "1"}, {"id": "2"}]}}
        column = {"currencyPage": {"id": "1"}, "priceLevel": {"id": "1"}, "quantity": {"value": 0}, "price": price}
        body |= {"incomeAccount": {"id": "3"}, "price": {"items": [column]}}
        answer = await netsuite.post("/record/v1/serviceSaleItem", json=body, headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 204, answer.text
