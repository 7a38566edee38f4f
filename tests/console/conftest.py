"""The pages of a small estate, asked without a server; tokens are words here."""

from dataclasses import dataclass
from datetime import date

import httpx
import pytest

from console.app import catalog_app
from console.desk import Desk, Login, Token
from governance.catalog.catalog import Collected, catalog
from governance.catalog.dependencies import Connected
from governance.catalog.excerpt import contract_of
from governance.consumers.declared import Application, Use
from kernel.problem import Unauthorized
from tests.governance.catalog.conftest import CRM, QUOTES, STATUS, evidence, older

URL = "http://gateway.test"
HOSTILE = "<script>alert(1)</script>"


@dataclass(frozen=True)
class Somebody:
    client: str
    scopes: frozenset[str] = frozenset()
    accounts: frozenset[str] | None = None
    partner: str = ""
    expires_at: int = 0


PEOPLE = {
    b"ours": Somebody("ours"),
    b"partner": Somebody("acme-app", frozenset({"quotes:read"}), partner="acme"),
    b"portal": Somebody("portal", frozenset({"quotes:read"}), accounts=frozenset({"crm/1"})),
    b"sandbox": Somebody("visitor"),
}


async def prove(token):
    if token not in PEOPLE:
        raise Unauthorized("the token is not good")
    return PEOPLE[token]


async def issue():
    return Token("sandbox", ("quotes:read",), 600)


class Codes:
    """An authorization server that gives a token for one code."""

    def __init__(self):
        self.asked = []

    async def exchange(self, code, verifier, back):
        self.asked.append((code, verifier, back))
        if code != "good":
            raise Unauthorized("no such code")
        return "partner"


def estate():
    quotes = {**QUOTES, "info": {**QUOTES["info"], "description": f"Quotes. {HOSTILE}"}}
    contracts = [contract_of(said, said["info"]["x-trivium-api"]) for said in (quotes, STATUS, CRM)]
    used = {"process/quotes/v1": (Use("get_quote", frozenset({"total"})),)}
    return catalog(
        Collected(
            contracts,
            {"process/quotes": [evidence(older(quotes), "2026-01-01T00:00:00Z"), evidence(quotes, "2026-02-01T00:00:00Z")]},
            [Application("portal", "sales", "", frozenset(), used)],
            [Connected("salesforce-eu", "salesforce", "system/crm")],
        ),
        date(2026, 3, 1),
    )


@pytest.fixture
def visitor():
    """Browsers of the pages; `open`, `sandbox`, `codes` as the house has them."""

    def make(token="", *, open=False, sandbox=False, codes=None, url=URL):
        whole = estate()

        async def found():
            return whole

        login = Login("tvc_1", f"{url}/oauth/authorize", codes.exchange) if codes else None
        app = catalog_app(Desk(url, found, prove, open=open, issue=issue if sandbox else None, login=login))
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url=url, headers=headers)

    return make
