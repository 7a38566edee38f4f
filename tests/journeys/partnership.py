"""Two partners of a deployment, registered by its commands, and their clients as they call over HTTP."""

import json
import re

from tests.contract_tests.contract_files import scopes
from tests.contract_tests.tenants import request, told
from tests.journeys import people
from tests.journeys.caller import CRM, Caller

CORRELATION = "partners-journey-01"
UNKNOWN = {
    "connection": CRM, "account_id": "001000000000000AAA", "quote_id": "0Q0000000000000AAA", "order_id": "salesforce-0Q0NOTHING",
    "onboarding_id": "ACC-9999", "process/orders operation_id": "salesforce-0Q0NOTHING",
    "process/onboarding operation_id": "ACC-9999", "customer_key": "ACC-9999", "cursor": "salesforce-0Q0NOTHING",
    "request_id": "0" * 24, "partner": "nobody", "client_id": "tvc_nobody",
}  # fmt: skip


class Partner:
    """One partner: what it is called, what it has, and its client."""

    def __init__(self, name, account, quote):
        self.name, self.account, self.quote = name, account, quote
        self.ids, self.client_id, self.secret, self.caller = {}, "", "", None

    async def register(self, deployment, plan="default"):
        """With the account of that number, by the commands that a person would type."""
        self.account_id = await people.account_id(deployment, self.account)
        self.quote_id = await people.quote_id(deployment, self.quote)
        said = ["--contact", "somebody", "--plan", plan, "--account", f"{CRM}/{self.account_id}"]
        await done(deployment, "partners", "add", self.name, self.name.title(), *said)
        await self.add_client(deployment, "portal", *scopes())

    async def add_client(self, deployment, name, *granted):
        wanted = [argument for scope in granted for argument in ("--scope", scope)]
        told = await done(deployment, "partners", "client", self.name, name, *wanted)
        self.client_id, self.secret = (re.search(rf"{name} +(\S+)", told)[1] for name in ("client_id", "client_secret"))

    async def token(self, http):
        """A new token; None where none is to be had."""
        answer = await http.post("/oauth/token", data={"grant_type": "client_credentials"}, auth=(self.client_id, self.secret))
        return answer.json().get("access_token") if answer.status_code == 200 else None

    async def sign_in(self, http):
        self.caller = Caller(http, await self.token(http))

    async def order(self):
        """Orders its quote through the sales desk; from then on there is an order of its own to ask for."""
        placed = await self.caller.submit(self.quote_id)
        assert placed.status_code in (201, 202), placed.text
        order = await self.caller.settled(placed.json()["id"])
        assert order["state"] == "completed", order
        self.ids = {
            "connection": CRM, "account_id": self.account_id, "quote_id": self.quote_id, "order_id": order["id"],
            "onboarding_id": self.account, "process/orders operation_id": order["id"],
            "process/onboarding operation_id": self.account, "customer_key": self.account, "cursor": order["id"],
            "request_id": placed.headers["X-Request-Id"], "partner": self.name, "client_id": self.client_id,
        }  # fmt: skip
        return order

    async def ask(self, promise, ids):
        """One request of the matrix; answers status, and the body without the ids it was asked for."""
        one = request(promise, ids)
        answer = await self.caller.ask(one.method, one.target, one.body, X_Correlation_Id=CORRELATION)
        return answer.status_code, told(answer.text, ids)


async def done(deployment, *command):
    code, said = await deployment.run(*command)
    assert code == 0, said
    return said


def lines(answer):
    return {json.dumps(line, sort_keys=True) for line in answer.json()["items"]}
