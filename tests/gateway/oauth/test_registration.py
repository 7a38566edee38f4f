"""Anybody may apply; nobody is a client before a person said so, and the applicant alone learns what became of it."""

import base64
import hashlib
import json

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from joserfc.jwk import ECKey, RSAKey

from gateway.oauth.app import oauth_app
from gateway.oauth.client_rules import BadClient
from gateway.oauth.rates import Rates
from gateway.oauth.registrations import Approval
from gateway.oauth.server import open_server
from kernel.sections.oauth import OAuth
from tests.gateway.oauth.portal import ISSUER, SCOPES

only_sqlite = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
MACHINE = {"client_name": "Acme batch", "scope": "quotes:read orders:read", "grant_types": ["client_credentials"]}
APP = {
    "client_name": "Acme app", "scope": "quotes:read", "grant_types": ["authorization_code", "refresh_token"],
    "redirect_uris": ["https://acme.example/back", "com.acme.app:/back", "http://127.0.0.1:7777/back"],
    "token_endpoint_auth_method": "none", "contacts": ["dev@acme.example"], "logo_uri": "https://acme.example/logo.png",
}  # fmt: skip
PUBLIC_KEY = ECKey.generate_key("P-256").as_dict(private=False)


@pytest.fixture
async def http(server):
    app = oauth_app(server, scopes=SCOPES, rates=Rates(applicant="1000/minute"))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=ISSUER) as client:
        yield client


async def status(http: httpx.AsyncClient, told: dict[str, str], token: str | None = None) -> httpx.Response:
    headers = {"Authorization": f"Bearer {token or told['registration_access_token']}"}
    return await http.get(told["registration_client_uri"], headers=headers)


async def test_an_application_waits_for_a_person_and_then_is_a_client(http, server) -> None:
    applied = await http.post("/oauth/register", json=MACHINE)
    told = applied.json()
    waiting, clients_before = (await status(http, told)).json(), await server.clients.all()
    approval = Approval("ann", ["quotes:read"], "gold", "acme", ["a"])
    approved = await server.registrations.approve(told["registration_id"], approval)
    first, second = (await status(http, told)).json(), (await status(http, told)).json()
    answer = await http.post(
        "/oauth/token", data={"grant_type": "client_credentials"}, auth=(first["client_id"], first["client_secret"])
    )
    (client,) = await server.clients.all()

    assert applied.status_code == 202
    assert applied.headers["cache-control"] == "no-store"
    assert (told["status"], waiting["status"], clients_before) == ("pending", "pending", [])
    assert "client_id" not in waiting
    assert approved.client_id == first["client_id"] == client.id
    assert (first["status"], first["scope"], first["client_secret_expires_at"]) == ("approved", "quotes:read", 0)
    assert "client_secret" not in second
    assert answer.json()["scope"] == "quotes:read"
    assert (client.plan, client.details.partner, client.accounts) == ("gold", "acme", ("a",))


async def test_a_rejection_is_told_with_its_reason_and_there_is_no_client(http, server) -> None:
    told = (await http.post("/oauth/register", json=MACHINE)).json()
    await server.registrations.reject(told["registration_id"], by="ann", reason="we do not know you")
    rejected = (await status(http, told)).json()

    assert (rejected["status"], rejected["reason"]) == ("rejected", "we do not know you")
    assert await server.clients.all() == []


async def test_a_decision_is_made_once(http, server) -> None:
    told = (await http.post("/oauth/register", json=MACHINE)).json()
    await server.registrations.approve(told["registration_id"], Approval("ann"))

    with pytest.raises(BadClient, match="waits for a decision"):
        await server.registrations.approve(told["registration_id"], Approval("bob"))
    with pytest.raises(BadClient, match="waits for a decision"):
        await server.registrations.reject(told["registration_id"], by="bob", reason="no")
    assert len(await server.clients.all()) == 1


@only_sqlite
async def test_nobody_is_given_what_was_not_asked_for(http, server) -> None:
    told = (await http.post("/oauth/register", json=MACHINE)).json()

    with pytest.raises(BadClient, match="did not ask for quotes:write"):
        await server.registrations.approve(told["registration_id"], Approval("ann", ["quotes:write"]))


@only_sqlite
async def test_an_application_without_a_secret_becomes_a_client_without_one(http, server) -> None:
    told = (await http.post("/oauth/register", json=APP)).json()
    await server.registrations.approve(told["registration_id"], Approval("ann"))
    shown = (await status(http, told)).json()
    (client,) = await server.clients.all()

    assert "client_secret" not in shown
    assert client.details.auth_method == "none"
    assert list(client.details.redirect_uris) == APP["redirect_uris"]
    assert "logo_uri" not in shown


@only_sqlite
async def test_an_unknown_application_and_a_wrong_token_are_told_the_same(http) -> None:
    told = (await http.post("/oauth/register", json=MACHINE)).json()
    other = (await http.post("/oauth/register", json=MACHINE)).json()
    unknown = told | {"registration_client_uri": f"{ISSUER}/oauth/register/tvg_{'0' * 20}"}
    answers = [
        await status(http, told, "wrong"), await status(http, told, other["registration_access_token"]),
        await status(http, unknown), await http.get(told["registration_client_uri"]),
        await http.get(told["registration_client_uri"], headers={"Authorization": "Basic YTpi"}),
        await http.get("/oauth/register/..%2f", headers={"Authorization": "Bearer x"}),
    ]  # fmt: skip

    assert {(answer.status_code, answer.text) for answer in answers[:5]} == {(401, answers[0].text)}
    assert answers[5].status_code in (401, 404)


@only_sqlite
async def test_good_keys_are_taken_and_bad_ones_left_out(http, server) -> None:
    large = RSAKey.import_key(rsa.generate_private_key(65537, 2048).public_key()).as_dict(private=False)
    small = large | {"n": "x" * 171}  # 1024 bits
    keys = [{"kty": "EC", "crv": "P-256"}, small, PUBLIC_KEY, "text", large, {"kty": "oct"}]
    said = MACHINE | {"token_endpoint_auth_method": "private_key_jwt", "jwks": {"keys": keys}}
    told = (await http.post("/oauth/register", json=said)).json()
    await server.registrations.approve(told["registration_id"], Approval("ann"))
    (client,) = await server.clients.all()

    assert client.details.jwks == {"keys": [PUBLIC_KEY, large]}


@only_sqlite
async def test_a_certificate_of_its_own_is_known_by_its_thumbprint(http, server) -> None:
    der = b"a certificate"
    key = PUBLIC_KEY | {"x5c": [base64.b64encode(der).decode()]}
    said = MACHINE | {"token_endpoint_auth_method": "self_signed_tls_client_auth", "jwks": {"keys": [key]}}
    told = (await http.post("/oauth/register", json=said)).json()
    await server.registrations.approve(told["registration_id"], Approval("ann"))
    (client,) = await server.clients.all()

    assert client.details.certificate == base64.urlsafe_b64encode(hashlib.sha256(der).digest()).rstrip(b"=").decode()


@only_sqlite
@pytest.mark.parametrize(
    ("changed", "error", "why"),
    [
        ({"client_name": None}, "invalid_client_metadata", "client_name"),
        ({"client_name": "a\nb"}, "invalid_client_metadata", "client_name"),
        ({"client_name": "x" * 101}, "invalid_client_metadata", "client_name"),
        ({"client_name": 7}, "invalid_client_metadata", "client_name"),
        ({"scope": "moon:walk"}, "invalid_client_metadata", "scope"), ({"scope": ["a"]}, "invalid_client_metadata", "scope"),
        ({"grant_types": ["password"]}, "invalid_client_metadata", "grant_types"),
        ({"grant_types": "client_credentials"}, "invalid_client_metadata", "grant_types"),
        ({"grant_types": ["authorization_code"]}, "invalid_client_metadata", "redirect URI"),
        ({"grant_types": None}, "invalid_client_metadata", "redirect URI"),
        ({"grant_types": ["refresh_token"]}, "invalid_client_metadata", "authorization_code"),
        ({"response_types": ["token"]}, "invalid_client_metadata", "response_types"),
        ({"token_endpoint_auth_method": "none"}, "invalid_client_metadata", "no grant but"),
        ({"token_endpoint_auth_method": "client_secret_jwt"}, "invalid_client_metadata", "token_endpoint_auth_method"),
        ({"token_endpoint_auth_method": "private_key_jwt"}, "invalid_client_metadata", "public keys"),
        ({"token_endpoint_auth_method": "tls_client_auth"}, "invalid_client_metadata", "certificate"),
        ({"redirect_uris": ["http://acme.example/back"]}, "invalid_redirect_uri", "https"),
        ({"redirect_uris": ["https://acme.example/back#here"]}, "invalid_redirect_uri", "fragment"),
        ({"redirect_uris": ["javascript:alert(1)"]}, "invalid_redirect_uri", "https"),
        ({"redirect_uris": ["https://ann:secret@acme.example/"]}, "invalid_redirect_uri", "user"),
        ({"redirect_uris": ["https://acme.example/\u00e9"]}, "invalid_redirect_uri", "ASCII"),
        ({"redirect_uris": ["http://[::1"]}, "invalid_redirect_uri", "read"),
        ({"jwks": {"keys": [PUBLIC_KEY, PUBLIC_KEY | {"d": "secret"}]}}, "invalid_client_metadata", "private key"),
        ({"jwks": {"keys": [{"kty": "EC"}]}}, "invalid_client_metadata", "no key"),
        ({"jwks": {"keys": [PUBLIC_KEY] * 11}}, "invalid_client_metadata", "at most 10"),
        ({"jwks": "text"}, "invalid_client_metadata", "JWK set"),
        ({"jwks_uri": "https://acme.example/jwks"}, "invalid_client_metadata", "jwks_uri"),
        ({"software_statement": "x.y.z"}, "invalid_client_metadata", "software_statement"),
        ({"contacts": ["x"] * 6}, "invalid_client_metadata", "contacts"),
    ],
)  # fmt: skip
async def test_what_cannot_be_registered_is_refused_in_words(http, server, changed, error, why) -> None:
    said = {name: value for name, value in (MACHINE | changed).items() if value is not None}
    answer = await http.post("/oauth/register", json=said)

    assert (answer.status_code, answer.json()["error"]) == (400, error)
    assert why in answer.json()["error_description"]
    assert await server.registrations.all() == []


@only_sqlite
@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'"text"', b"[" * 10_000, b"\xff", b"null"])
async def test_what_is_no_object_is_refused(http, body) -> None:
    answer = await http.post("/oauth/register", content=body, headers={"Content-Type": "application/json"})

    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_client_metadata")


@only_sqlite
async def test_size_and_kind_are_bounded(http) -> None:
    large = await http.post("/oauth/register", json=MACHINE | {"more": "x" * 20_000})
    form = await http.post("/oauth/register", data=MACHINE)

    assert (large.status_code, form.status_code) == (413, 415)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@only_sqlite
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(said=st.dictionaries(st.sampled_from([*APP, "jwks", "response_types", "dpop_bound_access_tokens"]), json_values))
async def test_any_json_is_taken_down_or_refused_never_a_failure(http, said) -> None:
    answer = await http.post("/oauth/register", content=json.dumps(MACHINE | said), headers={"Content-Type": "application/json"})

    assert answer.status_code in (202, 400, 503)


async def test_so_many_may_wait_and_no_more_and_none_for_ever(database, clock, tmp_path) -> None:
    server = await open_server(database, public_url=ISSUER, data=tmp_path, clock=clock, terms=OAuth(registrations=2))
    app = oauth_app(server, scopes=SCOPES)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=ISSUER) as http:
        statuses = [(await http.post("/oauth/register", json=MACHINE)).status_code for _ in range(3)]
        clock.pass_seconds(31 * 86_400)
        later = await http.post("/oauth/register", json=MACHINE)
    await server.close()

    assert statuses == [202, 202, 503]
    assert later.status_code == 202


@only_sqlite
async def test_where_nobody_may_apply_there_is_no_endpoint(database, clock, tmp_path) -> None:
    server = await open_server(database, public_url=ISSUER, data=tmp_path, clock=clock, terms=OAuth(registrations=0))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(oauth_app(server)), base_url=ISSUER) as http:
        applied = await http.post("/oauth/register", json=MACHINE)
        described = (await http.get("/.well-known/oauth-authorization-server")).json()
    await server.close()

    assert applied.status_code == 404
    assert "registration_endpoint" not in described


@only_sqlite
async def test_applications_are_braked_per_address(server) -> None:
    app = oauth_app(server, scopes=SCOPES, rates=Rates(applicant="2/hour"))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=ISSUER) as http:
        statuses = [(await http.post("/oauth/register", json=MACHINE)).status_code for _ in range(3)]

    assert statuses == [202, 202, 429]
