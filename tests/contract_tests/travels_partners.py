"""The part of the travel that leads through partners: registered, changed, given clients and secrets, suspended, closed."""

from collections.abc import Awaitable, Callable
from typing import Any

Must = Callable[..., Awaitable[Any]]  # (method, path, body) -> what was answered
HERE = "/ops/gateway/v1"
WHY = {"reason": "for the contract tests"}


async def partners(must: Must) -> dict[str, str]:
    """Answers ids that exist, by the name of the parameter that takes them."""
    new = {"id": "contract-testers", "name": "Contract Testers", "contact": "ct@testers.example", "accounts": ["salesforce/001A"]}
    await must("POST", f"{HERE}/partners", new)
    await must("POST", f"{HERE}/partners", {**new, "id": "soon-gone"})
    await must("GET", f"{HERE}/partners?limit=1")
    partner = f"{HERE}/partners/contract-testers"
    await must("GET", partner)
    await must("PUT", f"{partner}/plan", {"plan": "gold"})
    await must("PUT", f"{partner}/accounts", {"accounts": ["salesforce/001A", "salesforce/001B"]})
    made = await must("POST", f"{partner}/clients", {"name": "portal", "scopes": ["orders:read"]})
    await must("POST", f"{partner}/suspensions", WHY)
    await must("POST", f"{partner}/resumptions", WHY)
    await must("POST", f"{HERE}/partners/soon-gone/closures", WHY)
    await _secrets(must, made["client_id"])
    await must("GET", f"{HERE}/usage?limit=1")
    await must("GET", f"{HERE}/consumption?limit=1")
    return {"partner_id": "contract-testers", "client_id": made["client_id"], "partner": "contract-testers"}


async def _secrets(must: Must, client_id: str) -> None:
    client = f"{HERE}/clients/{client_id}"
    await must("GET", f"{HERE}/clients?partner=contract-testers")
    await must("GET", client)
    second = await must("POST", f"{client}/secrets", WHY)
    await must("POST", f"{client}/secret-withdrawals", {"keep": second["client_secret"]})
    await must("POST", f"{client}/closures", WHY)
