"""The catalog's API gives each caller its part, as the pages do."""

from datetime import UTC, date, datetime
from types import SimpleNamespace

import httpx
import pytest

from gateway.ops.catalog.v1 import catalog_api
from gateway.pipeline import Caller
from governance.catalog.catalog import Collected, catalog
from governance.catalog.excerpt import contract_of
from kernel.context import caller
from tests.governance.catalog.conftest import CRM, QUOTES, STATUS, evidence, older

OURS = Caller("ours", "ours", frozenset({"catalog:read"}))
PARTNER = Caller("acme", "acme", frozenset({"catalog:read", "quotes:read"}), partner="acme")
PORTAL = Caller("portal", "ann", frozenset({"quotes:read"}), accounts=frozenset())


class Library:
    """Has one catalog, whatever is promised."""

    def __init__(self):
        contracts = [contract_of(said, said["info"]["x-trivium-api"]) for said in (QUOTES, STATUS, CRM)]
        released = {"process/quotes": [evidence(older(QUOTES), "2026-01-01T00:00:00Z"), evidence(QUOTES, "2026-02-01T00:00:00Z")]}
        self.catalog = catalog(Collected(contracts, released), date(2026, 3, 1))

    async def of(self, settings, promised, today):
        return self.catalog


@pytest.fixture
def ask():
    clock = SimpleNamespace(now=lambda: datetime(2026, 3, 1, tzinfo=UTC))
    api = catalog_api(SimpleNamespace(library=Library(), settings=None, promised=(), clock=clock))

    async def asked(path, who=OURS):
        token = caller.set(who)
        try:
            async with httpx.AsyncClient(transport=httpx.ASGITransport(app=api.app), base_url="http://t/ops/catalog/v1") as http:
                return await http.get(path)
        finally:
            caller.reset(token)

    return asked


@pytest.mark.parametrize(
    ("who", "keys"),
    [
        (OURS, ["ops/status/v1", "process/quotes/v1", "system/crm/v1"]),
        (PARTNER, ["ops/status/v1", "process/quotes/v1"]),
        (PORTAL, ["ops/status/v1", "process/quotes/v1"]),
    ],
)
async def test_each_caller_is_told_of_what_it_may_call(ask, who, keys):
    items = (await ask("/apis", who)).json()["items"]

    assert [item["key"] for item in items] == keys


async def test_a_partner_is_not_told_of_the_other_operations(ask):
    listed = (await ask("/apis/process/quotes/versions/v1", PARTNER)).json()

    assert [one["id"] for one in listed["operations"]] == ["get_quote"]
    assert (await ask("/apis/system/crm/versions/v1", PARTNER)).status_code == 404
    assert (await ask("/results?q=margin", PARTNER)).json()["items"] == []
    assert "margins" not in (await ask("/releases", PARTNER)).text


async def test_pages_follow_each_other(ask):
    first = await ask("/apis?limit=2")
    second = await ask(f"/apis?limit=2&cursor={first.json()['next']}")

    assert 'rel="next"' in first.headers["link"]
    assert [item["key"] for item in second.json()["items"]] == ["system/crm/v1"]
    assert "next" not in second.json()


async def test_a_search_leads_to_the_page(ask):
    best = (await ask("/results?q=get+quote&kind=operation")).json()["items"][0]

    assert (best["name"], best["page"]) == ("get_quote", "/catalog/apis/process/quotes/v1/operations/get_quote")


async def test_dependencies_and_releases_are_told(ask):
    edges, releases = (await ask("/dependencies")).json()["items"], (await ask("/releases")).json()["items"]

    assert edges == [{"source": "process/quotes/v1", "to": "system/crm/v1", "operations": ["read_quote"], "kind": "declared"}]
    assert (await ask("/dependencies?known=observed")).json()["items"] == []
    assert [(one["version"], one.get("since")) for one in releases] == [("1.1.0", "1.0.0"), ("1.0.0", None)]
