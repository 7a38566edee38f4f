"""A client of the gateway as its users write them: one token, one Idempotency-Key a thing to do, and patience."""

import asyncio
from contextlib import asynccontextmanager
from time import monotonic
from uuid import uuid4

import httpx

from tests.journeys.deployment import plain

CRM = "salesforce"
EVERYTHING = (
    "onboarding:write", "onboarding:read", "credit:approve", "sales-desk:read", "sales-desk:write", "quotes:validate",
    "orders:read", "orders:write", "crm:read", "billing:read", "erp:read", "master-data:read", "master-data:write",
)  # fmt: skip


class Caller:
    """`ask` sends once; `insist` repeats the same request under the same key while the answer is no answer."""

    def __init__(self, http, token):
        self._http, self._token, self._authorization = http, token, f"Bearer {token}"
        self.repeats = 0

    def at(self, http):
        """The same client, at another door of the deployment."""
        return Caller(http, self._token)

    async def ask(self, method, path, body=None, key=None, **headers):
        sent = {"Authorization": self._authorization, **{name.replace("_", "-"): value for name, value in headers.items()}}
        if method == "POST":
            sent["Idempotency-Key"] = key or f"test-{uuid4()}"
        return await self._http.request(method, path, json=body, headers=sent)

    async def insist(self, method, path, body=None, key=None, within=60):
        key, ends = key or f"test-{uuid4()}", monotonic() + within
        while True:
            try:
                answer = await self.ask(method, path, body, key)
                under_way = answer.status_code == 409 and "retry-after" in answer.headers  # the same call, not yet answered
                if answer.status_code < 500 and answer.status_code != 429 and not under_way:
                    return answer
            except httpx.TransportError as error:
                answer = error
            if monotonic() > ends:
                raise TimeoutError(f"{method} {path} was never answered: {getattr(answer, 'text', answer)!r}")
            self.repeats += 1
            await asyncio.sleep(0.25)

    async def onboard(self, account_id, currency="USD", limit="1000000.00"):
        """Onboards an account with finance's approval; answers the completed onboarding."""
        terms = {"payment_days": 30, "credit_limit": {"amount": limit, "currency": currency}}
        body = {"account": {"connection": CRM, "id": account_id}, "terms": terms}
        answer = await self.insist("POST", "/process/onboarding/v1/onboardings", body)
        assert answer.status_code in (201, 202), answer.text
        return await self.approve(answer.json()["id"])

    async def approve(self, onboarding_id):
        """Sees an onboarding through: finance approves once it is asked, what is held is released."""
        here = f"/process/onboarding/v1/onboardings/{onboarding_id}"
        for _ in range(100):
            found = (await self.insist("GET", here)).json()
            match found["state"]:
                case "awaiting_credit_decision":
                    await self.insist("POST", f"{here}/decisions", {"decision": "approve", "reason": "in good standing"})
                case "held":
                    await self.insist("POST", f"{here}/releases", {"reason": "try again"})
                case "completed":
                    return found
                case "refused" | "cancelled" | "failed":
                    break
            await asyncio.sleep(0.1)
        raise AssertionError(f"the onboarding is {found['state']}: {found.get('problem')}")

    async def validate(self, quote_id):
        answer = await self.ask("POST", f"/experience/sales-desk/v1/quotes/{CRM}/{quote_id}/validations")
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def submit(self, quote_id, key=None):
        """One submission through the sales desk, as it is answered."""
        return await self.ask("POST", f"/experience/sales-desk/v1/quotes/{CRM}/{quote_id}/orders", {}, key)

    async def order(self, order_id):
        answer = await self.insist("GET", f"/process/orders/v1/orders/{order_id}")
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def settled(self, order_id, within=30):
        """The order once it neither waits its turn nor is being worked on."""
        ends = monotonic() + within
        while (found := await self.order(order_id))["state"] in ("acknowledged", "in_progress"):
            assert monotonic() < ends, found
            await asyncio.sleep(0.1)
        return found

    async def release(self, order_id):
        """Releases a held order; answers it once it has settled again."""
        await self.insist("POST", f"/process/orders/v1/orders/{order_id}/releases", {"reason": "the platform answers again"})
        return await self.settled(order_id)


@asynccontextmanager
async def caller(deployment, *scopes):
    """Registers a client, takes a token for it and closes its connections at the end."""
    wanted = [argument for scope in scopes or EVERYTHING for argument in ("--scope", scope)]
    code, said = await deployment.run("clients", "add", "a test", *wanted)
    assert code == 0, said
    client_id, secret = (line.split()[-1] for line in said.splitlines()[:2])
    async with plain(deployment.url, timeout=20) as http:
        form = {"grant_type": "client_credentials"}
        answer = await http.post("/oauth/token", data=form, auth=(client_id, secret))
        assert answer.status_code == 200, answer.text
        yield Caller(http, answer.json()["access_token"])
