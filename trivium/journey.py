"""The journey: a customer onboarded, a quote validated, an order placed, over HTTP through the gateway, shown as it goes.

It ends with the order's trace through every system; any part that does not do what it promises ends it with JourneyFailed.
"""

import json
import os
from collections.abc import Mapping
from time import perf_counter
from typing import Any
from uuid import uuid4

import httpx
from rich.console import Console
from rich.table import Table
from rich.tree import Tree

from kernel.settings import Settings
from trivium import clients

CRM = "salesforce"
ACCOUNT, QUOTE = "ACC-1001", "Q-1001"
SALES_SCOPES = (
    "onboarding:write",
    "onboarding:read",
    "sales-desk:read",
    "sales-desk:write",
    "orders:read",
    "orders:write",
    "crm:read",
)
FINANCE_SCOPES = ("credit:approve", "onboarding:read")


class JourneyFailed(RuntimeError):
    """A part of the journey did not do what it promises."""


class Traveller:
    """One client with its token, printing every request it makes."""

    def __init__(self, name: str, http: httpx.AsyncClient, out: Console) -> None:
        self._name, self._http, self._out = name, http, out
        self._token = ""
        self.correlation_id = ""

    async def take_token(self, client_id: str, secret: str) -> None:
        form = {"grant_type": "client_credentials"}
        body = await self.ask("POST", "/oauth/token", expect=(200,), data=form, auth=(client_id, secret))
        self._token = body["access_token"]

    @property
    def token(self) -> str:
        return self._token

    async def ask(self, method: str, path: str, *, expect: tuple[int, ...], keyed: bool = False, **more: Any) -> Any:
        """One request, printed with its status and time. Raises JourneyFailed for a status that was not expected."""
        headers = {"Authorization": f"Bearer {self._token}"} if self._token else {}
        if keyed:
            headers["Idempotency-Key"] = f"journey-{uuid4()}"
        begun = perf_counter()
        response = await self._http.request(method, path, headers=headers, **more)
        milliseconds = (perf_counter() - begun) * 1000
        colour = "green" if response.status_code in expect else "red"
        self._out.print(
            f"[bold]{self._name:>8}[/]  {method:<5} {path}  [{colour}]{response.status_code}[/]  [dim]{milliseconds:.0f} ms[/]",
            soft_wrap=True, highlight=False,
        )  # fmt: skip
        self.correlation_id = response.headers.get("X-Correlation-Id", "")
        body = response.json() if response.content else None
        if response.status_code not in expect:
            self._out.print_json(json.dumps(body))
            raise JourneyFailed(f"{method} {path} answered {response.status_code}, expected {' or '.join(map(str, expect))}")
        return body


async def travel(settings: Settings, out: Console) -> None:
    """Performs the journey against the gateway of these settings. Raises JourneyFailed."""
    url = settings.server.url
    out.rule("[bold]The journey")
    async with httpx.AsyncClient(base_url=url, timeout=30, trust_env=False) as http:
        try:
            sales, finance = Traveller("sales", http, out), Traveller("finance", http, out)
            made = {}
            for traveller, name, scopes in ((sales, "journey sales", SALES_SCOPES), (finance, "journey finance", FINANCE_SCOPES)):
                made[name] = await clients.add(settings, name, scopes)
                await traveller.take_token(made[name].client_id, made[name].secret)
            account_id, quote_id = await _find(settings)
            await _onboard(sales, finance, account_id, out)
            await _validate(sales, quote_id, out)
            order = await _order(sales, quote_id, out)
            await _look_back(sales, account_id, quote_id, order, out)
        except httpx.HTTPError as error:
            raise JourneyFailed(
                f"the gateway at {url} cannot be reached ({type(error).__name__}): is `trivium up` running?"
            ) from None
    _go_on(settings, sales, account_id, out)


async def _find(settings: Settings) -> tuple[str, str]:
    """The CRM's ids of the account and the quote, as a person would copy them from the CRM's screen."""
    port = settings.sandbox.salesforce
    if not port:
        raise JourneyFailed(
            "the journey needs the bundled sandbox: set [sandbox] salesforce, stripe and netsuite in trivium.toml"
        )
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}/__sandbox__/records", timeout=10, trust_env=False) as crm:
        accounts, quotes = (await crm.get("/Account")).json(), (await crm.get("/Quote")).json()
    account = next(record["Id"] for record in accounts if record["AccountNumber"] == ACCOUNT)
    quote = next(record["Id"] for record in quotes if record["QuoteNumber"] == QUOTE)
    return account, quote


async def _onboard(sales: Traveller, finance: Traveller, account_id: str, out: Console) -> None:
    terms = {"payment_days": 30, "credit_limit": {"amount": "50000.00", "currency": "USD"}}
    request = {"account": {"connection": CRM, "id": account_id}, "terms": terms}
    path = "/process/onboarding/v1/onboardings"
    onboarding = await sales.ask("POST", path, expect=(201, 202), keyed=True, json=request)
    here = f"{path}/{onboarding['id']}"
    if onboarding["state"] == "awaiting_credit_decision":
        out.print(
            f"          {onboarding['customer_key']} is in the ERP as {_named(onboarding, 'erp_customer')}; finance decides"
        )
        decision = {"decision": "approve", "reason": "good standing in the journey"}
        onboarding = await finance.ask("POST", f"{here}/decisions", expect=(200, 202), keyed=True, json=decision)
    if onboarding["state"] != "completed":
        onboarding = await sales.ask("GET", here, expect=(200,))
    await _completed(sales, "onboarding", onboarding)
    out.print(f"          onboarded: ERP {_named(onboarding, 'erp_customer')}, billing {_named(onboarding, 'billing_customer')}")


async def _validate(sales: Traveller, quote_id: str, out: Console) -> None:
    answer = await sales.ask("POST", f"/experience/sales-desk/v1/quotes/{CRM}/{quote_id}/validations", expect=(200,))
    table = Table("check", "verdict", "system", "ms", "finding", title=f"Quote {answer['quote_number']}: {answer['verdict']}")
    colours = {"ok": "green", "not_ok": "red", "could_not_check": "yellow"}
    for check in answer["checks"]:
        finding = "; ".join(found["reason"] for found in check.get("findings", ()))
        verdict = f"[{colours[check['verdict']]}]{check['verdict']}[/]"
        table.add_row(check["name"], verdict, check["system"], str(check["milliseconds"]), finding)
    out.print(table)
    _must(answer["verdict"] == "ok" or _ordered_before(answer), f"the quote is {answer['verdict']}")


def _ordered_before(answer: Mapping[str, Any]) -> bool:
    """In a second journey the first one's order already counts against the credit limit."""
    return all(check["verdict"] == "ok" or check["name"] == "credit" for check in answer["checks"])


async def _order(sales: Traveller, quote_id: str, out: Console) -> dict[str, Any]:
    path = f"/experience/sales-desk/v1/quotes/{CRM}/{quote_id}/orders"
    order: dict[str, Any] = await sales.ask(
        "POST", path, expect=(201, 202), keyed=True, json={"customer_reference": "PO-2026-11"}
    )
    if order["state"] == "in_progress":
        order = await sales.ask("GET", f"/experience/sales-desk/v1/orders/{order['id']}", expect=(200,))
    operation = await _completed(sales, "order", order)
    table = Table("step", "state", "attempts", title=f"Operation {operation['id']}")
    for step in operation["steps"]:
        table.add_row(step["name"], step["state"], str(step["attempts"]))
    out.print(table)
    return order


async def _look_back(sales: Traveller, account_id: str, quote_id: str, order: Mapping[str, Any], out: Console) -> None:
    """What sales sees afterwards, and the references on the CRM's own record."""
    view = await sales.ask("GET", f"/experience/sales-desk/v1/customers/{CRM}/{account_id}", expect=(200,))
    _must(not view.get("unavailable"), f"parts of the customer could not be shown: {view.get('unavailable')}")
    quote = await sales.ask("GET", f"/system/crm/v1/{CRM}/quotes/{quote_id}", expect=(200,))
    _must(quote.get("order_key") == order["id"], "the order's key was not written back to the quote")
    trace = order["trace"]
    tree = Tree(f"[bold]Order {order['id']}[/]  {order['state']}  {order['total']['amount']} {order['total']['currency']}")
    for name in ("opportunity", "quote", "crm_account", "erp_customer", "billing_customer", "sales_order", "subscription"):
        reference = trace.get(name)
        _must(reference is not None, f"the trace lacks the {name.replace('_', ' ')}")
        number = f"  ({trace['sales_order_number']})" if name == "sales_order" else ""
        tree.add(f"{name.replace('_', ' ')}: [cyan]{reference['connection']}[/] {reference['id']}{number}")
    tree.add(f"correlation id: {order['correlation_id']}")
    out.print(tree)


def _go_on(settings: Settings, sales: Traveller, account_id: str, out: Console) -> None:
    url = settings.server.url
    out.rule("[bold green]The journey is complete")
    pages = {
        "gateway": "", "catalog": "/catalog", "health": "/health/ready", "metrics": "/metrics",
        "tokens": "/.well-known/oauth-authorization-server",
    }  # fmt: skip
    for name, path in pages.items():
        out.print(f"{name:<10} {url}{path}")
    for vendor, port in settings.sandbox.ports.items():
        out.print(f"{vendor:<10} http://127.0.0.1:{port}")
    keep = settings.data / "journey.token"
    keep.touch(mode=0o600)
    keep.write_text(sales.token, encoding="ascii")
    out.print("\nGo on with (the token lives ten minutes):", highlight=False)
    path = f"{url}/experience/sales-desk/v1/customers/{CRM}/{account_id}"
    out.print(f'curl -s -H "Authorization: Bearer $(cat {os.path.relpath(keep)})" {path}', soft_wrap=True, highlight=False)


async def _completed(sales: Traveller, what: str, record: Mapping[str, Any]) -> dict[str, Any]:
    """The operation behind it. Raises JourneyFailed with the step that is in trouble, and why."""
    operation: dict[str, Any] = await sales.ask("GET", record["operation"], expect=(200,))
    step = next((step for step in reversed(operation["steps"]) if step.get("problem")), None)
    problem = record.get("problem") or (step and step["problem"]) or {}
    where = f" at {step['name']!r}" if step else ""
    said = [str(problem[member]) for member in ("detail", "fix") if problem.get(member)]
    _must(record["state"] == "completed", f"the {what} is {record['state']}{where}: {'; '.join(said) or 'no problem is known'}")
    return operation


def _named(record: Mapping[str, Any], member: str) -> str:
    reference = record.get(member)
    _must(reference is not None, f"the {member.replace('_', ' ')} is missing")
    return f"{reference['connection']} {reference['id']}" if reference else ""


def _must(holds: bool, otherwise: str) -> None:
    if not holds:
        raise JourneyFailed(otherwise)
