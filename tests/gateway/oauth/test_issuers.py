"""Callers that others vouch for: the shapes of real issuers, a second Trivium, and what such a token can never become here."""

import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from gateway.oauth.app import oauth_app
from gateway.oauth.clients import CLIENT_ID
from gateway.oauth.discovery import Discovery
from gateway.oauth.issuers import LONGEST_NAME, ExternalIssuer, external_issuers
from gateway.oauth.jwks import IssuerKeys
from gateway.oauth.server import AuthorizationServer, open_server
from gateway.oauth.verifier import Verifier
from gateway.policies.authenticate import authenticate
from kernel.clock import SystemClock
from kernel.db import Database
from kernel.problem import Unauthorized
from kernel.sections.issuers import Issuer
from tests.gateway.oauth.holding import Holder, certificate, rsa, x5t

SHAPES = {place.stem: json.loads(place.read_text()) for place in sorted((Path(__file__).parent / "shapes").glob("*.json"))}
OWN = "https://api.example.test"
pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


class Published:
    """An issuer's documents, and how often each was asked for."""

    def __init__(self, documents: dict[str, Any]) -> None:
        self.documents, self.asked = documents, list[str]()

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(str(request.url))
        found = self.documents.get(str(request.url))
        return httpx.Response(404) if found is None else httpx.Response(200, json=found)


Trusting = Callable[..., tuple[Verifier, Published]]


@pytest.fixture
async def trusting(server: AuthorizationServer, clock) -> AsyncIterator[Trusting]:
    """Our verifier, which trusts this issuer beside ourselves."""
    opened: list[ExternalIssuer] = []

    def make(said: Issuer, documents: dict[str, Any]) -> tuple[Verifier, Published]:
        published = Published(documents)
        client = httpx.AsyncClient(transport=httpx.MockTransport(published))
        issuer = ExternalIssuer(said, [OWN], IssuerKeys(said.name, Discovery(said, client), clock), clock)
        opened.append(issuer)
        verifier = Verifier(server.names, server.trust, clock, resource_metadata=OWN, issuers={said.url: issuer})
        return verifier, published

    yield make
    for issuer in opened:
        await issuer.close()


def documents(shape: dict[str, Any], *keys: dict[str, Any]) -> dict[str, Any]:
    return {shape["metadata_at"]: shape["metadata"], shape["metadata"]["jwks_uri"]: {"keys": list(keys)}}


def timed(shape: dict[str, Any], clock, **claims: Any) -> dict[str, Any]:
    now = int(clock.now().timestamp())
    return shape["claims"] | {"iat": now, "nbf": now, "exp": now + shape["lives"]} | claims


async def refused(verifier: Verifier, token: str) -> str:
    with pytest.raises(Unauthorized) as refusal:
        await verifier.verify(token.encode())
    return refusal.value.detail


@pytest.mark.parametrize("name", SHAPES)
async def test_a_token_of_each_known_issuer_proves_its_caller(trusting, clock, name) -> None:
    shape, holder = SHAPES[name], rsa()
    encrypting = holder.jwk | {"use": "enc", "alg": "RSA-OAEP", "kid": "other"}
    verifier, published = trusting(
        Issuer.model_validate(shape["settings"]), documents(shape, encrypting, holder.jwk | shape["jwk"])
    )
    caller = await verifier.verify(holder.sign(shape["header"], timed(shape, clock)).encode())
    said = shape["caller"]

    assert (caller.client, caller.subject, sorted(caller.scopes)) == (said["client"], said["subject"], said["scopes"])
    assert (caller.partner, caller.plan) == (said.get("partner", ""), said.get("plan", "default"))
    assert caller.accounts == (frozenset(said["accounts"]) if "accounts" in said else None)
    assert caller.issuer == shape["settings"]["url"]
    assert caller.token_id
    assert published.asked == [shape["metadata_at"], shape["metadata"]["jwks_uri"]]


@pytest.mark.parametrize("name", SHAPES)
@pytest.mark.parametrize(
    ("claims", "why"),
    [
        ({"aud": "another-api"}, "audience"), ({"aud": None}, "audience"), ({"exp": 1}, "expired"), ({"exp": "x"}, "lacks exp"),
        ({"iat": None}, "lacks iat"), ({"exp": 9_999_999_999}, "lives longer"), ({"sub": None}, "subject"),
        ({"sub": 7}, "subject"),
        ({"sub": "two words"}, "subject"), ({"sub": "x" * 80}, "subject"), ({"cnf": {"kid": "x"}}, "bound"),
        ({"azp": 7, "cid": 7, "client_id": 7}, "client"),
        ({"azp": "a\u0430", "cid": "a\u0430", "client_id": "a\u0430"}, "client"),
        ({"iss": "https://evil.test"}, "the token"),
    ],
)  # fmt: skip
async def test_its_token_is_checked_as_strictly_as_ours(trusting, clock, name, claims, why) -> None:
    shape, holder = SHAPES[name], rsa()
    verifier, _ = trusting(Issuer.model_validate(shape["settings"]), documents(shape, holder.jwk | shape["jwk"]))
    said = {key: value for key, value in timed(shape, clock, **claims).items() if value is not None}

    assert why in await refused(verifier, holder.sign(shape["header"], said))


@pytest.mark.parametrize("name", SHAPES)
async def test_its_token_is_refused_by_another_algorithm_type_key_or_with_keys_of_its_own(trusting, clock, name) -> None:
    shape, holder = SHAPES[name], rsa()
    verifier, published = trusting(Issuer.model_validate(shape["settings"]), documents(shape, holder.jwk | shape["jwk"]))
    claims, header = timed(shape, clock), shape["header"]
    for spoiled, why in (
        ({"alg": "PS256"}, "signed with"), ({"alg": "ES256"}, "signed with"), ({"alg": "none"}, "signed with"),
        ({"alg": "HS256"}, "signed with"), ({"typ": "at+jwt"}, "typ"), ({"typ": 7}, "typ"), ({"kid": 7}, "key is unknown"),
        ({"jwk": holder.jwk}, "header"), ({"jku": "https://evil.test"}, "header"), ({"crit": ["exp"]}, "header"),
        ({"nonce": "x"}, "header"),
    ):  # fmt: skip
        assert why in await refused(verifier, holder.sign(header | spoiled, claims))
    assert "signature" in await refused(verifier, Holder("RS256").sign(header, claims))
    assert all(place in published.documents for place in published.asked)


async def test_no_caller_of_another_issuer_can_be_taken_for_one_of_ours(trusting, server, clock) -> None:
    ours = await server.clients.add("desk", ["quotes:read"])
    shape, holder = SHAPES["okta"], rsa()
    verifier, _ = trusting(Issuer.model_validate(shape["settings"]), documents(shape, holder.jwk | shape["jwk"]))
    token = holder.sign(shape["header"], timed(shape, clock, cid=ours.client_id, sub=ours.client_id, client_id=ours.client_id))
    caller = await verifier.verify(token.encode())

    assert caller.client == caller.subject == f"okta:{ours.client_id}"
    assert not CLIENT_ID.fullmatch(caller.client)
    assert len(caller.client) <= LONGEST_NAME


async def test_words_that_are_not_translated_give_nothing_even_if_they_look_like_ours(trusting, clock) -> None:
    shape, holder = SHAPES["okta"], rsa()
    verifier, _ = trusting(Issuer.model_validate(shape["settings"]), documents(shape, holder.jwk | shape["jwk"]))
    token = holder.sign(
        shape["header"], timed(shape, clock, scp=["orders:write", "gateway:write", "internal:forward", "orders.read"])
    )

    assert (await verifier.verify(token.encode())).scopes == {"orders:read"}


async def test_a_caller_whose_accounts_a_claim_should_tell_sees_none_when_it_does_not(trusting, clock) -> None:
    shape, holder = SHAPES["keycloak"], rsa()
    verifier, _ = trusting(Issuer.model_validate(shape["settings"]), documents(shape, holder.jwk | shape["jwk"]))
    without = {key: value for key, value in timed(shape, clock).items() if key != "accounts"}
    caller = await verifier.verify(holder.sign(shape["header"], without).encode())

    assert caller.accounts == frozenset()


async def test_what_is_fixed_for_an_issuer_holds_where_its_tokens_say_nothing(trusting, clock) -> None:
    shape, holder = SHAPES["okta"], rsa()
    said = Issuer.model_validate(shape["settings"] | {"plan": "silver", "partner": "northwind", "accounts": ["A-1"]})
    verifier, _ = trusting(said, documents(shape, holder.jwk | shape["jwk"]))
    caller = await verifier.verify(holder.sign(shape["header"], timed(shape, clock)).encode())

    assert (caller.plan, caller.partner, caller.accounts) == ("silver", "northwind", {"A-1"})


@pytest.mark.parametrize("algorithm", ["ES256", "PS256", "EdDSA"])
async def test_each_algorithm_that_is_named_for_an_issuer_is_taken(trusting, clock, algorithm) -> None:
    shape = SHAPES["okta"]
    holder = rsa(algorithm) if algorithm == "PS256" else Holder(algorithm)
    said = Issuer.model_validate(shape["settings"] | {"algorithms": [algorithm]})
    verifier, _ = trusting(said, documents(shape, holder.jwk))
    token = holder.sign({"alg": algorithm}, timed(shape, clock))  # without a kid: the issuer has but one key

    assert (await verifier.verify(token.encode())).client == shape["caller"]["client"]


async def test_a_binding_that_another_issuer_made_holds_here(trusting, clock) -> None:
    shape, holder = SHAPES["keycloak"], rsa()
    verifier, _ = trusting(Issuer.model_validate(shape["settings"]), documents(shape, holder.jwk | shape["jwk"]))
    shown = x5t(certificate())
    caller = await verifier.verify(holder.sign(shape["header"], timed(shape, clock, cnf={"x5t#S256": shown})).encode())

    assert caller.confirmation == (("x5t#S256", shown),)


async def test_our_own_tokens_are_checked_as_before_and_by_our_keys_alone(trusting, server, clock) -> None:
    shape, holder = SHAPES["okta"], rsa()
    verifier, _ = trusting(Issuer.model_validate(shape["settings"]), documents(shape, holder.jwk | shape["jwk"]))
    ours = server.tokens.issue("tvc_desk", ["quotes:read"])
    forged = holder.sign(
        shape["header"] | {"typ": "at+jwt"}, timed(shape, clock, iss=OWN, aud=OWN, client_id="tvc_desk", scope="x")
    )

    assert (await verifier.verify(ours.encode())).issuer == ""
    assert "signed with" in await refused(verifier, forged)
    assert await refused(verifier, Holder().token(timed(shape, clock, iss=OWN), kid="x5", x5t="x"))


def test_two_issuers_of_one_name_or_address_are_refused(clock, database) -> None:
    one = Issuer(name="one", url="https://one.test")
    for other in (Issuer(name="one", url="https://two.test"), Issuer(name="two", url="https://one.test")):
        with pytest.raises(ValueError, match="two issuers"):
            external_issuers([one, other], [OWN], clock)


async def test_a_second_trivium_is_an_issuer_like_any_other(build, served, tmp_path, asking, database) -> None:
    """Over real HTTP on this machine: its client calls our operation, and is closed out when its token is not translated."""
    clock = SystemClock()
    their_database = Database(f"sqlite:///{tmp_path / 'theirs.sqlite'}")
    await their_database.create_all()
    theirs_app: list[Any] = []

    async def theirs_asgi(scope: Any, receive: Any, send: Any) -> None:
        await theirs_app[0](scope, receive, send)

    port = served(theirs_asgi)
    url = f"http://127.0.0.1:{port}"
    theirs = await open_server(their_database, public_url=url, data=tmp_path / "theirs", clock=clock, audiences=[OWN])
    theirs_app.append(_documents_of(theirs, url))
    said = Issuer(name="sister", url=url, audiences=[OWN], algorithms=["ES256"], scopes={"orders:read": ["orders:read"]})
    ours = await open_server(database, public_url=OWN, data=tmp_path / "ours", clock=clock, issuers=[said])
    app = build(authenticate=authenticate(ours.verifier)).app

    async def call(*scopes: str) -> Any:
        token = theirs.tokens.issue("tvc_partner", scopes)
        return await asking(app, "GET", "/process/orders/v1/orders", {"authorization": f"Bearer {token}"})

    allowed, untranslated = await call("orders:read"), await call("orders:write")
    caller = await ours.verifier.verify(theirs.tokens.issue("tvc_partner", ["orders:read"]).encode())
    for server in (ours, theirs):
        await server.close()
    await their_database.close()

    assert (allowed.status, untranslated.status) == (200, 403)
    assert (caller.client, caller.issuer) == ("sister:tvc_partner", url)


def _documents_of(server: AuthorizationServer, url: str) -> Any:
    """What it publishes, as its own application says it; another thread serves it, which must not touch its database."""
    app = oauth_app(server)
    keys = {"keys": [key.public_jwk() for key in server.trust.keys.values()]}

    async def serve(scope: Any, receive: Any, send: Any) -> None:
        if scope["path"].startswith("/.well-known/oauth-"):
            await app(scope, receive, send)
        elif scope["path"] == "/oauth/jwks.json":
            await send_json(send, 200, keys)
        else:
            await send_json(send, 404, {})

    return serve


async def send_json(send: Any, status: int, said: Any) -> None:
    body = json.dumps(said).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
