"""A hundred orders and more: written as quotes, submitted by clients who insist, and counted in every platform at the end."""

import asyncio
from collections import Counter
from time import monotonic

from tests.journeys import people
from tests.journeys.caller import CRM

LINES = {
    "USD": (("PLAT-ANNUAL", 2, "1200.00"), ("API-USAGE", 1, "0.02")),
    "EUR": (("PLAT-ANNUAL", 1, "1100.00"), ("ONBOARD-SVC", 3, "140.00")),
}
CUSTOMERS = {"ACC-1001": "USD", "ACC-1003": "USD", "ACC-1000": "USD", "ACC-1002": "EUR", "ACC-1007": "EUR"}
CLIENTS = 12


async def onboarded_quotes(deployment, caller, count):
    """Onboards every customer with credit enough for everything; answers the ids of as many approved quotes, spread over them."""
    share, found = -(-count // len(CUSTOMERS)), []
    for number, currency in CUSTOMERS.items():
        await caller.onboard(await people.account_id(deployment, number), currency)
        found.append(await people.write_quotes(deployment, number, LINES[currency], share))
    return [quote for together in zip(*found, strict=True) for quote in together][:count]


class Sales:
    """Clients who take quotes from a queue and submit each until it is answered, always under the quote's own key."""

    def __init__(self, caller):
        self._caller, self._queue = caller, asyncio.Queue()
        self.orders, self.refused, self.under_way = {}, {}, 0
        self._clients = [asyncio.create_task(self._sell()) for _ in range(CLIENTS)]

    def wants(self, quotes):
        for quote in quotes:
            self._queue.put_nowait(quote)

    async def done(self, within):
        """Until every quote was answered."""
        async with asyncio.timeout(within):
            await self._queue.join()

    async def stop(self):
        for client in self._clients:
            client.cancel()
        await asyncio.gather(*self._clients, return_exceptions=True)

    async def _sell(self):
        while True:
            quote = await self._queue.get()
            self.under_way += 1
            path = f"/experience/sales-desk/v1/quotes/{CRM}/{quote}/orders"
            answer = await self._caller.insist("POST", path, {}, f"order-{quote}")
            if answer.status_code in (201, 202):
                self.orders[quote] = answer.json()["id"]
            else:
                self.refused[quote] = answer.text
            self.under_way -= 1
            self._queue.task_done()


async def finished(caller, order_ids, within=60):
    """Follows every order to its end and releases what is held; answers the finished orders."""
    ends = monotonic() + within
    gate = asyncio.Semaphore(CLIENTS)

    async def follow(order_id):
        async with gate:
            while (order := await caller.settled(order_id))["state"] == "held" and monotonic() < ends:
                assert order["problem"]["detail"], "what is held says why"
                await caller.release(order_id)
            return order

    return await asyncio.gather(*(follow(order_id) for order_id in order_ids))


async def assert_one_record_each(deployment, orders):
    """Salesforce, Stripe and NetSuite hold one record for each of these orders, tell the same of it, and hold no other."""
    quotes = {one["Id"]: one for one in await deployment.records("salesforce", "Quote") if one["Gateway_Order_Id__c"]}
    deals = {one["Id"]: one for one in await deployment.records("salesforce", "Opportunity")}
    subscriptions = await deployment.records("stripe", "subscription")
    sales_orders = await deployment.records("netsuite", "salesOrder")
    subscription_of = {one["metadata"]["external_ref"]: one for one in subscriptions}
    sales_order_of = {one["externalId"]: one for one in sales_orders}
    once = dict.fromkeys((order["id"] for order in orders), 1)

    assert Counter(one["metadata"]["external_ref"] for one in subscriptions) == once
    assert Counter(one["externalId"] for one in sales_orders) == once
    assert Counter(one["Gateway_Order_Id__c"] for one in quotes.values()) == once
    for order in orders:
        key, quote = order["id"], quotes[order["quote"]["id"]]
        for written in (quote, deals[quote["OpportunityId"]]):
            assert written["Gateway_Order_Id__c"] == key
            assert written["ERP_Order_Number__c"] == sales_order_of[key]["tranId"] == order["trace"]["sales_order_number"]
            assert written["Billing_Subscription_Id__c"] == subscription_of[key]["id"] == order["trace"]["subscription"]["id"]
        assert len(sales_order_of[key]["item"]["items"]) == 2, "no line was written twice"
        assert subscription_of[key]["status"] == "active"
