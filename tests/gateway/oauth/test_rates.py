"""Guessing is slowed per client and per address, and the refusal can be read by OAuth libraries and by ours."""

from collections.abc import AsyncIterator

import httpx
import pytest
from authlib.integrations.base_client import OAuthError
from authlib.integrations.httpx_client import AsyncOAuth2Client
from starlette.requests import Request

from gateway.oauth.app import oauth_app
from gateway.oauth.rates import Rates, address
from gateway.oauth.secret_hashing import new_secret
from gateway.oauth.server import AuthorizationServer

GRANT = {"grant_type": "client_credentials"}
pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


def caller(app, host: str) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app, client=(host, 1)), base_url="http://gateway.internal")


@pytest.fixture
async def app(server: AuthorizationServer) -> AsyncIterator[object]:
    return oauth_app(server, rates=Rates(client="3/minute", address="5/minute"))


async def test_guessing_at_one_client_is_stopped_from_whatever_address(app, server) -> None:
    desk = await server.clients.add("desk", ["quotes:read"])
    statuses = []
    for n in range(5):
        async with caller(app, f"192.0.2.{n}") as http:
            statuses.append((await http.post("/oauth/token", data=GRANT, auth=(desk.client_id, new_secret()))).status_code)

    assert statuses == [401, 401, 401, 429, 429]


async def test_a_client_that_proved_itself_is_not_shut_out_by_one_who_guesses_at_its_name(app, server) -> None:
    desk = await server.clients.add("desk", ["quotes:read"])
    async with caller(app, "192.0.2.1") as http, caller(app, "192.0.2.2") as guesser:
        first = await http.post("/oauth/token", data=GRANT, auth=tuple(desk))
        guesses = [await guesser.post("/oauth/token", data=GRANT, auth=(desk.client_id, new_secret())) for _ in range(4)]
        again = await http.post("/oauth/token", data=GRANT, auth=tuple(desk))

    assert guesses[-1].status_code == 429
    assert (first.status_code, again.status_code) == (200, 200)


async def test_one_address_is_held_to_its_rate_whatever_names_it_uses(app) -> None:
    async with caller(app, "192.0.2.1") as http:
        statuses = [(await http.post("/oauth/token", data=GRANT, auth=(f"tvc_{n}", "x"))).status_code for n in range(7)]
        nameless = (await http.post("/oauth/token", data=GRANT)).status_code
    async with caller(app, "192.0.2.2") as other:
        elsewhere = (await other.post("/oauth/token", data=GRANT, auth=("tvc_9", "x"))).status_code

    assert statuses == [401] * 5 + [429] * 2
    assert (nameless, elsewhere) == (429, 401)


async def test_the_refusal_is_a_problem_with_the_time_to_wait_and_an_oauth_error(app) -> None:
    async with caller(app, "192.0.2.1") as http:
        answers = [await http.post("/oauth/token", data=GRANT, auth=(f"tvc_{n}", "x")) for n in range(6)]
    body, headers = answers[-1].json(), answers[-1].headers

    assert headers["content-type"] == "application/problem+json"
    assert headers["cache-control"] == "no-store"
    assert body["type"] == "https://iana.org/assignments/http-problem-types#quota-exceeded"
    assert body["violated-policies"] == ["address"]
    assert body["error"] == "temporarily_unavailable"
    assert 1 <= int(headers["retry-after"]) <= 60
    assert headers["ratelimit"] == f'"address";r=0;t={headers["retry-after"]}'
    assert headers["ratelimit-policy"] == '"address";q=5;w=60'


async def test_a_client_library_reads_the_refusal(app, server) -> None:
    transport = httpx.ASGITransport(app, client=("192.0.2.1", 1))
    async with AsyncOAuth2Client("tvc_1", new_secret(), transport=transport) as library:
        said = []
        for _ in range(4):
            with pytest.raises(OAuthError) as refusal:
                await library.fetch_token("https://api.example.test/oauth/token", grant_type="client_credentials")
            said.append(refusal.value.error)

    assert said == ["invalid_client"] * 3 + ["temporarily_unavailable"]


async def test_introspection_and_revocation_are_braked_too(app) -> None:
    async with caller(app, "192.0.2.1") as http:
        statuses = {
            path: [(await http.post(path, data={"token": "x"}, auth=("tvc_1", "x"))).status_code for _ in range(4)]
            for path in ("/oauth/introspect", "/oauth/revoke")
        }

    assert statuses == {"/oauth/introspect": [401, 401, 401, 429], "/oauth/revoke": [401, 401, 401, 429]}


@pytest.mark.parametrize(
    ("host", "counted_as"),
    [("192.0.2.7", "192.0.2.7"), ("2001:db8:1:2:3::4", "2001:db8:1:2::/64"), ("2001:db8:1:2:ffff::1", "2001:db8:1:2::/64"),
     ("unix-socket", "unix-socket"), ("", "unknown"), (None, "unknown")],
)  # fmt: skip
def test_an_address_is_never_empty_and_a_v6_network_is_one(database, host, counted_as) -> None:
    scope = {"type": "http", "client": None if host is None else (host, 1), "headers": []}

    assert address(Request(scope)) == counted_as


async def test_the_environment_cannot_switch_the_brake_off(server, monkeypatch) -> None:
    monkeypatch.setenv("RATELIMIT_ENABLED", "false")
    app = oauth_app(server, rates=Rates(address="1/minute"))
    async with caller(app, "192.0.2.1") as http:
        statuses = [(await http.post("/oauth/token", data=GRANT)).status_code for _ in range(2)]

    assert statuses == [401, 429]
