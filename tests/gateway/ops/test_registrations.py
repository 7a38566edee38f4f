"""Applications for registration over the gateway's own API: a person decides, once, and for a partner in the partner's words."""

from collections.abc import AsyncIterator
from typing import cast

import httpx
import pytest

from gateway.house import House
from gateway.oauth.applications import Application
from gateway.ops.partners import declare_partners
from gateway.ops.registrations import declare_registrations
from kernel.api import Api
from kernel.context import Someone, caller
from tests.gateway.ops.test_partners import ACME, HERE, Rooms, post, rooms

__all__ = ["rooms"]
SAID = Application(client_name="Acme batch", scope="orders:read quotes:read", grant_types=["client_credentials"])


@pytest.fixture
async def http(rooms: Rooms) -> AsyncIterator[httpx.AsyncClient]:
    api = Api("ops", "gateway", "1.0.0", "Gateway", "", "team", {"gateway:read": "r", "gateway:write": "w"})
    for declare in (declare_partners, declare_registrations):
        declare(api, cast(House, rooms))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(api.app), base_url=f"http://gateway{HERE}") as client:
        yield client


@pytest.fixture
async def application(rooms: Rooms) -> str:
    return (await rooms.oauth.registrations.add(SAID)).id


async def test_who_applied_is_listed_and_shown_by_state(http, application) -> None:
    listed = (await http.get("/registrations", params={"state": "pending"})).json()["items"]
    shown = (await http.get(f"/registrations/{application}")).json()
    none = (await http.get("/registrations", params={"state": "approved"})).json()["items"]
    unknown = await http.get(f"/registrations/tvg_{'0' * 20}")

    assert listed == [shown]
    assert none == []
    assert (shown["name"], shown["scopes"], shown["keys"]) == ("Acme batch", ["orders:read", "quotes:read"], 0)
    assert unknown.status_code == 404


async def test_an_approval_makes_a_client_and_says_who_approved(http, application, rooms) -> None:
    token = caller.set(Someone("tvc_operator"))
    approved = await post(http, f"/registrations/{application}/approvals", {"scopes": ["orders:read"], "plan": "gold"})
    caller.reset(token)
    client = await rooms.oauth.clients.find(approved["client_id"])

    assert (approved["state"], approved["decided_by"]) == ("approved", "tvc_operator")
    assert (client.scopes, client.plan) == (("orders:read",), "gold")
    await post(http, f"/registrations/{application}/approvals", {}, 409)
    await post(http, f"/registrations/{application}/rejections", {"reason": "too late"}, 409)


async def test_a_partners_client_has_its_plan_and_its_accounts_or_fewer(http, application, rooms) -> None:
    await post(http, "/partners", ACME, 201)
    path = f"/registrations/{application}/approvals"
    await post(http, path, {"partner": "globex"}, 404)
    await post(http, path, {"partner": "acme", "accounts": ["salesforce/other"]}, 422)
    await post(http, path, {"partner": "acme", "scopes": ["quotes:write"]}, 409)
    approved = await post(http, path, {"partner": "acme", "plan": "silver"})
    client = await rooms.oauth.clients.find(approved["client_id"])

    assert (client.details.partner, client.plan, client.accounts) == ("acme", "gold", ("salesforce/001A",))


async def test_a_rejection_has_a_reason(http, application, rooms) -> None:
    rejected = await post(http, f"/registrations/{application}/rejections", {"reason": "we do not know you"})

    assert (rejected["state"], rejected["reason"]) == ("rejected", "we do not know you")
    assert await rooms.oauth.clients.all() == []
    await post(http, f"/registrations/tvg_{'0' * 20}/rejections", {"reason": "nobody"}, 404)
