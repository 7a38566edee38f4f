"""The part of the travel that asks the gateway's own pages: applications, services, mirrors, the audit log, and the catalog."""

from typing import Any

from tests.contract_tests.travels_partners import Must
from tests.journeys.deployment import Deployment, plain

GATEWAY, CATALOG = "/ops/gateway/v1", "/ops/catalog/v1"
APPLICATION = {"client_name": "Contract testers", "scope": "orders:read", "grant_types": ["client_credentials"]}


async def pages(deployment: Deployment, must: Must) -> dict[str, str]:
    """Answers ids that exist, by the name of the parameter that takes them."""
    first, second = await _applied(deployment), await _applied(deployment)
    await must("GET", f"{GATEWAY}/registrations?state=pending")
    await must("GET", f"{GATEWAY}/registrations/{first}")
    await must("POST", f"{GATEWAY}/registrations/{first}/approvals", {"scopes": ["orders:read"]})
    await must("POST", f"{GATEWAY}/registrations/{second}/rejections", {"reason": "for the contract tests"})
    for page in ("services", "mirrors", "audit?limit=2", "consumption"):
        await must("GET", f"{GATEWAY}/{page}")
    return {"registration_id": first, **await _catalog(must)}


async def _catalog(must: Must) -> dict[str, str]:
    await must("GET", f"{CATALOG}/apis?limit=1")
    await must("GET", f"{CATALOG}/apis/process/quotes/versions/v1")
    await must("GET", f"{CATALOG}/results?q=validate")
    await must("GET", f"{CATALOG}/dependencies")
    await must("GET", f"{CATALOG}/releases")
    return {"layer": "process", "name": "quotes", "major": "v1"}


async def _applied(deployment: Deployment) -> str:
    """Asked at the authorization server, which is no API with a contract."""
    async with plain(deployment.url) as http:
        answer = await http.post("/oauth/register", json=APPLICATION)
    said: dict[str, Any] = answer.json()
    assert answer.status_code == 202, said
    return str(said["registration_id"])
