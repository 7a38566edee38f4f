"""One travel through every promised operation, over HTTP through the gateway of a whole deployment, recorded as it went."""

import base64
import json
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Any

import httpx

from tests.contract_tests.contract_files import scopes
from tests.contract_tests.travels_configuration import configuration
from tests.contract_tests.travels_gateway import pages
from tests.contract_tests.travels_partners import partners
from tests.journeys import people
from tests.journeys.caller import CRM, Caller
from tests.journeys.deployment import Deployment, plain
from tests.journeys.orders import LINES

ERP, BILLING = "netsuite", "stripe"
TODAY = datetime.now(UTC).date().isoformat()
NEW_CUSTOMER = {
    "key": "CT-1", "legal_name": "Contract Testers Ltd", "email": "ap@testers.example", "currency": "USD", "legal_entity": "1",
    "address": {"line1": "1 Test St", "city": "Oakland", "postal_code": "94607", "country": "US", "state": "CA"},
}  # fmt: skip


@dataclass(frozen=True)
class Exchange:
    """One request of the travel and what came back."""

    method: str
    path: str
    status: int
    headers: Mapping[str, str]
    body: bytes

    def __str__(self) -> str:
        return f"{self.method} {self.path} {self.status}"


@dataclass
class Travels:
    """What was recorded, and ids that exist by the name of the parameter that takes them."""

    url: str
    token: str
    exchanges: list[Exchange] = field(default_factory=list)
    known: dict[str, list[str]] = field(default_factory=dict)

    @property
    def client(self) -> str:
        """The client whose token it is."""
        claims = self.token.split(".")[1]
        return str(json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))["client_id"])

    async def note(self, response: httpx.Response) -> None:
        await response.aread()
        request = response.request
        path = request.url.raw_path.decode().partition("?")[0]
        self.exchanges.append(Exchange(request.method, path, response.status_code, response.headers, response.content))

    def knows(self, **ids: str) -> None:
        for name, id in ids.items():
            if id not in self.known.setdefault(name, []):
                self.known[name].append(id)


async def travel(deployment: Deployment) -> Travels:
    travels = Travels(deployment.url, await _token(deployment))
    async with plain(deployment.url, timeout=30) as http:
        http.event_hooks["response"] = [travels.note]
        caller = Caller(http, travels.token)
        customer = await _onboardings(deployment, caller, travels)
        trace = await _orders(deployment, caller, travels, customer["account"]["id"])
        await _views(caller, customer, travels)
        await _crm(caller, trace)
        await _erp(caller, customer, travels)
        await _billing(caller, customer, travels)
        travels.knows(**await partners(partial(_must, caller)))
        travels.knows(**await configuration(caller))
        travels.knows(**await pages(deployment, partial(_must, caller)))
    return travels


async def _token(deployment: Deployment) -> str:
    """Of a client that may do everything."""
    wanted = [argument for scope in scopes() for argument in ("--scope", scope)]
    _, said = await deployment.run("clients", "add", "contract tests", *wanted)
    found = re.search(r"client_id +(\S+)\nclient_secret +(\S+)", said)
    assert found is not None, said
    async with plain(deployment.url) as http:
        answer = await http.post("/oauth/token", data={"grant_type": "client_credentials"}, auth=(found[1], found[2]))
    token: str = answer.json()["access_token"]
    return token


async def _must(caller: Caller, method: str, path: str, body: Any = None, **headers: str) -> Any:
    answer = await caller.ask(method, path, body, **headers)
    assert answer.status_code < 300, f"{method} {path} {answer.status_code}: {answer.text}"
    return answer.json() if answer.content else None


async def _onboardings(deployment: Deployment, caller: Caller, travels: Travels) -> dict[str, Any]:
    """One that goes well, and is asked for again when the address has changed; one that is held and released."""
    here, operations = "/process/onboarding/v1/onboardings", "/process/onboarding/v1/operations"
    account = {"connection": CRM, "id": await people.account_id(deployment, "ACC-1001")}
    request = {"account": account, "terms": {"payment_days": 30, "credit_limit": {"amount": "900000.00", "currency": "USD"}}}
    begun = await _must(caller, "POST", here, request)
    done = await caller.approve(begun["id"])
    await _must(caller, "GET", f"{operations}/{begun['id']}")
    await _move(deployment, account["id"], "2 Pier Ave")
    await _must(caller, "POST", here, request)
    other = {"connection": CRM, "id": await people.account_id(deployment, "ACC-1002")}
    terms = {"payment_days": 30, "credit_limit": {"amount": "900000.00", "currency": "EUR"}}
    await deployment.fault(ERP, "closed_period", path="/customer/")
    held = await _must(caller, "POST", here, {"account": other, "terms": terms})
    assert held["state"] == "held", held
    assert (await caller.approve(held["id"]))["state"] == "completed"
    travels.knows(
        onboarding_id=begun["id"], operation_id=begun["id"], account_id=account["id"], customer_key=done["customer_key"]
    )
    travels.knows(onboarding_id=held["id"], account_id=other["id"])
    found: dict[str, Any] = done
    return found


async def _move(deployment: Deployment, account_id: str, street: str) -> None:
    """Somebody changes the account in the CRM: what the ERP owns by now becomes a proposal."""
    form = {"grant_type": "client_credentials", "client_id": "sandbox-salesforce", "client_secret": "sandbox-secret"}
    async with plain(deployment.platform(CRM)) as crm:
        token = (await crm.post("/services/oauth2/token", data=form)).json()["access_token"]
        path, headers = f"{people.API}/sobjects/Account/{account_id}", {"Authorization": f"Bearer {token}"}
        answer = await crm.patch(path, json={"BillingStreet": street}, headers=headers)
        assert answer.status_code == 204, answer.text


async def _orders(deployment: Deployment, caller: Caller, travels: Travels, account_id: str) -> dict[str, Any]:
    """One submitted to the process, one through the sales desk that is held and released, one that is cancelled."""
    first, second, third = await people.write_quotes(deployment, "ACC-1001", LINES["USD"], 3)
    record, here = {"connection": CRM, "id": first}, "/process/orders/v1"
    await _must(caller, "POST", "/process/quotes/v1/validations", record)
    await _must(caller, "POST", f"/experience/sales-desk/v1/quotes/{CRM}/{first}/validations")
    correlation = "correlation-" + "x" * 116  # as long as one may be
    key = "contract-tests-0001"
    begun = await _must(caller, "POST", f"{here}/orders", {"quote": record}, key=key, X_Correlation_Id=correlation)
    order = await caller.settled(begun["id"])
    assert (order["state"], order["correlation_id"]) == ("completed", correlation), order
    await _same_key_in_quotes(caller, key, {"connection": CRM, "id": second})
    await deployment.fault(ERP, "server_error", count=None)
    held = (await caller.submit(second)).json()
    assert held["state"] == "held", held
    await deployment.mend(ERP)
    await caller.release(held["id"])
    taken_back = (await caller.submit(third)).json()
    await caller.settled(taken_back["id"])
    await _must(caller, "POST", f"{here}/orders/{taken_back['id']}/cancellations", {"reason": "ordered by mistake"})
    await _must(caller, "GET", f"{here}/operations/{begun['id']}")
    await _must(caller, "GET", f"{here}/orders?limit=1")
    await _must(caller, "GET", f"/experience/sales-desk/v1/orders/{begun['id']}")
    await _must(caller, "GET", "/experience/sales-desk/v1/orders?state=completed")
    for id in (begun["id"], held["id"], taken_back["id"]):
        travels.knows(order_id=id, operation_id=id)
    travels.knows(quote_id=first, account_id=account_id)
    trace: dict[str, Any] = order["trace"]
    travels.knows(sales_order_id=trace["sales_order"]["id"], subscription_id=trace["subscription"]["id"], key=order["id"])
    return trace


async def _same_key_in_quotes(caller: Caller, key: str, other: dict[str, str]) -> None:
    """The IETF draft writes the key in quotes; written bare it is the same key, and may not be used for something else."""
    reused = await caller.ask("POST", "/process/orders/v1/orders", {"quote": other}, f'"{key}"')
    assert (reused.status_code, reused.json()["type"]) == (422, "urn:trivium:problem:key-reused"), reused.text


async def _views(caller: Caller, customer: dict[str, Any], travels: Travels) -> None:
    account, key, here = customer["account"]["id"], customer["customer_key"], "/ops/master-data/v1"
    await _must(caller, "GET", f"/process/customers/v1/customers/{CRM}/{account}")
    await _must(caller, "GET", f"/experience/sales-desk/v1/customers/{CRM}/{account}")
    await _must(caller, "GET", f"{here}/mappings?kind=item")
    new = {"kind": "item", "connection": ERP, "source": "CT-ITEM", "target": "SENSOR-X1", "valid_from": TODAY}
    await _must(caller, "POST", f"{here}/mappings", new)
    await _must(caller, "GET", f"{here}/customers/{key}/references")
    proposals = (await _must(caller, "GET", f"{here}/customers/{key}"))["proposals"]
    assert [proposal["name"] for proposal in proposals] == ["address"]
    await _must(caller, "PUT", f"{here}/customers/{key}/proposals/{proposals[0]['id']}", {"accept": True})
    travels.knows(proposal_id=proposals[0]["id"])


async def _crm(caller: Caller, trace: dict[str, Any]) -> None:
    account, quote = trace["crm_account"]["id"], trace["quote"]["id"]
    here = f"/system/crm/v1/{CRM}"
    await _must(caller, "GET", f"{here}/accounts/{account}")
    await _must(caller, "GET", f"{here}/accounts/{account}/quotes")
    await _must(caller, "GET", f"{here}/accounts/{account}/opportunities")
    await _must(caller, "GET", f"{here}/quotes/{quote}")
    await _must(caller, "PUT", f"{here}/accounts/{account}/references", {"erp_customer_id": trace["erp_customer"]["id"]})
    await _must(caller, "PUT", f"{here}/quotes/{quote}/references", {"erp_order_number": trace["sales_order_number"]})


async def _erp(caller: Caller, customer: dict[str, Any], travels: Travels) -> None:
    here = f"/system/erp/v1/{ERP}"
    made = await _must(caller, "POST", f"{here}/customers", NEW_CUSTOMER)
    id = made["reference"]["id"]
    await _must(caller, "GET", f"{here}/customers-by-key/CT-1")
    await _must(caller, "GET", f"{here}/customers/{id}")
    limit = {"amount": "5000.00", "currency": "USD"}
    await _must(caller, "PUT", f"{here}/customers/{id}/credit-terms", {"payment_days": 30, "credit_limit": limit})
    await _must(caller, "GET", f"{here}/customers/{id}/credit")
    (item,) = (await _must(caller, "GET", f"{here}/items?codes=SENSOR-X1&currency=USD"))["items"]
    await _must(caller, "GET", f"{here}/tax-codes/US-CA")
    await _must(caller, "GET", f"{here}/legal-entities/1")
    await _must(caller, "GET", f"{here}/periods?day={TODAY}")
    line = {"line": "1", "item": item["id"], "quantity": 2, "amount": "179.00"}
    new = {"key": "CT-O-1", "customer": made["reference"], "legal_entity": "1", "currency": "USD", "ordered_on": TODAY}
    order = await _must(caller, "POST", f"{here}/sales-orders", {**new, "lines": [line]})
    await _must(caller, "GET", f"{here}/sales-orders-by-key/CT-O-1")
    await _must(caller, "GET", f"{here}/sales-orders/{order['reference']['id']}")
    await _must(caller, "PUT", f"{here}/sales-orders/{order['reference']['id']}/cancellation")
    await _must(caller, "PUT", f"{here}/customers/{id}/status", {"status": "blocked"})
    travels.knows(customer_id=id, key="CT-1", code="US-CA", codes="SENSOR-X1", entity_id="1", currency="USD", day=TODAY)
    travels.knows(customer_id=customer["erp_customer"]["id"], item=item["id"])


async def _billing(caller: Caller, customer: dict[str, Any], travels: Travels) -> None:
    here = f"/system/billing/v1/{BILLING}"
    made = await _must(caller, "POST", f"{here}/customers", NEW_CUSTOMER)
    id = made["reference"]["id"]
    await _must(caller, "GET", f"{here}/customers-by-key/CT-1")
    await _must(caller, "GET", f"{here}/customers/{id}")
    mappings = (await _must(caller, "GET", "/ops/master-data/v1/mappings?kind=price"))["items"]
    key = next(one["target"] for one in mappings if one["source"] == "PLAT-ANNUAL/USD")
    (price,) = (await _must(caller, "GET", f"{here}/prices?keys={key}"))["items"]
    money = {"amount": "1200.00", "currency": "USD"}
    taxed = {"line": "1", "sku": "PLAT-ANNUAL", "amount": money, "quantity": 1}
    preview = {"currency": "USD", "ship_to": NEW_CUSTOMER["address"], "lines": [taxed]}
    await _must(caller, "POST", f"{here}/tax-previews", preview)
    line = {"line": "1", "sku": "PLAT-ANNUAL", "price": price["id"], "kind": "annual", "quantity": 1}
    new = {"key": "CT-S-1", "customer": made["reference"], "currency": "USD", "contract_months": 12, "payment_days": 30}
    subscription = await _must(caller, "POST", f"{here}/subscriptions", {**new, "lines": [line]})
    subscribed = subscription["reference"]["id"]
    await _must(caller, "GET", f"{here}/customers/{id}/subscriptions")
    await _must(caller, "GET", f"{here}/customers/{id}/subscriptions-by-key/CT-S-1")
    await _must(caller, "GET", f"{here}/subscriptions/{subscribed}")
    await _must(caller, "GET", f"{here}/customers/{id}/invoices")
    await _must(caller, "PUT", f"{here}/subscriptions/{subscribed}/cancellation")
    await _must(caller, "PUT", f"{here}/customers/{id}/status", {"status": "blocked"})
    travels.knows(customer_id=id, subscription_id=subscribed, keys=key, price=price["id"])
    with suppress(KeyError):
        travels.knows(customer_id=customer["billing_customer"]["id"])
