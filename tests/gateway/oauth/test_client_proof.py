"""Clients prove themselves at the real endpoints, through the door: by assertion, by certificate, and with the keys they hold."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import httpx
import pytest
from authlib.integrations.base_client import OAuthError
from authlib.integrations.httpx_client import AsyncOAuth2Client
from authlib.oauth2.rfc7523 import PrivateKeyJWT
from joserfc.jwk import ECKey

from gateway.oauth.app import oauth_app
from gateway.oauth.client_rules import ASSERTION, NONE, SELF_SIGNED, TLS
from gateway.oauth.clients import Details
from gateway.oauth.server import AuthorizationServer, open_server
from gateway.policies.authenticate import authenticate
from kernel.clock import SystemClock
from kernel.sections.terminator import Terminator
from tests.gateway.oauth.holding import ASSERTION as TYPE
from tests.gateway.oauth.holding import Holder, certificate, rfc9440, rsa, x5t

ISSUER, TOKEN = "https://api.example.test", "https://api.example.test/oauth/token"
GRANT = {"grant_type": "client_credentials"}
TRUSTED = Terminator.model_validate({"addresses": ["10.0.0.0/24"], "verifies_chain": True})
Post = Callable[..., Awaitable[httpx.Response]]
pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)  # what both must do alike is in test_once.py


@pytest.fixture
async def server(database, clock, tmp_path) -> AsyncIterator[AuthorizationServer]:
    server = await open_server(database, public_url=ISSUER, data=tmp_path, clock=clock, terminator=TRUSTED)
    yield server
    await server.close()


@pytest.fixture
def post(server, build) -> Post:
    """Posts through the door; `shown`: the certificate that the terminator tells, `peer`: who is connected to us."""
    app = build(mounts={"oauth": oauth_app(server)}, authenticate=authenticate(server.verifier)).app

    async def send(
        form: dict[str, str], path: str = "/oauth/token", *, shown: bytes | None = None, peer: str = "10.0.0.7", **headers: str
    ) -> httpx.Response:
        told = {name.replace("_", "-"): value for name, value in headers.items()}
        told |= {} if shown is None else {"Client-Cert": rfc9440(shown)}
        transport = httpx.ASGITransport(app, client=(peer, 1))
        async with httpx.AsyncClient(transport=transport, base_url="http://gateway.internal") as client:
            return await client.post(path, data=form, headers=told)

    return send


async def registered(server: AuthorizationServer, method: str, **details: Any) -> str:
    return (await server.clients.add("desk", ["quotes:read"], details=Details(auth_method=method, **details))).client_id


def asserting(assertion: str, **form: str) -> dict[str, str]:
    return GRANT | {"client_assertion_type": TYPE, "client_assertion": assertion} | form


def claims_of(answer: httpx.Response) -> dict[str, Any]:
    body = answer.json()["access_token"].split(".")[1]
    return dict(json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4))))


HOLDER = Holder(kid="k1")


@pytest.mark.parametrize("algorithm", ["ES256", "RS256", "PS256", "EdDSA"])
@pytest.mark.parametrize("audience", [ISSUER, TOKEN])
async def test_a_client_proves_itself_by_an_assertion_of_its_own_key(server, post, clock, algorithm, audience) -> None:
    holder = rsa(algorithm) if algorithm in ("RS256", "PS256") else Holder(algorithm)
    client = await registered(server, ASSERTION, jwks={"keys": [{"kty": "bad"}, Holder().jwk, holder.jwk]})
    answer = await post(asserting(holder.assertion(client, audience, clock.now())))

    assert answer.status_code == 200, answer.text
    assert claims_of(answer)["client_id"] == client
    assert answer.json()["token_type"] == "Bearer"
    assert "cnf" not in claims_of(answer)


@pytest.mark.parametrize(("lives", "status"), [(120, 200), (None, 401)])
async def test_a_client_library_gets_its_token_if_its_assertions_live_for_minutes_only(database, tmp_path, lives, status) -> None:
    server = await open_server(database, public_url=ISSUER, data=tmp_path, clock=SystemClock())
    key = ECKey.generate_key("P-256")
    client = await registered(server, ASSERTION, jwks={"keys": [key.as_dict(private=False)]})
    said = {} if lives is None else {"exp": int(SystemClock().now().timestamp()) + lives}  # an hour, if it is not told otherwise
    transport = httpx.ASGITransport(oauth_app(server))
    async with AsyncOAuth2Client(client, key, token_endpoint_auth_method=ASSERTION, transport=transport) as library:
        library.register_client_auth_method(PrivateKeyJWT(TOKEN, claims=said, alg="ES256"))
        try:
            found = 200 if (await library.fetch_token(TOKEN, grant_type="client_credentials"))["access_token"] else 0
        except OAuthError as refusal:
            found = 401 if refusal.error == "invalid_client" else 0
    await server.close()

    assert found == status


async def test_an_assertion_counts_once_in_all_processes(server, post, database, clock, tmp_path, build) -> None:
    client = await registered(server, ASSERTION, jwks={"keys": [HOLDER.jwk]})
    form = asserting(HOLDER.assertion(client, TOKEN, clock.now()))
    there = await open_server(database, public_url=ISSUER, data=tmp_path, clock=clock)
    transport = httpx.ASGITransport(oauth_app(there))
    async with httpx.AsyncClient(transport=transport, base_url="http://gateway.internal") as other:
        answers = await asyncio.gather(post(form), other.post("/oauth/token", data=form), post(form))
    await there.close()

    assert sorted(answer.status_code for answer in answers) == [200, 401, 401]


async def test_a_new_assertion_works_after_one_was_used_and_also_to_introspect(server, post, clock) -> None:
    client = await registered(server, ASSERTION, jwks={"keys": [HOLDER.jwk]})
    token = (await post(asserting(HOLDER.assertion(client, TOKEN, clock.now())))).json()["access_token"]
    form = asserting(HOLDER.assertion(client, ISSUER, clock.now()), token=token)
    told = await post(form, "/oauth/introspect")

    assert told.json()["active"] is True
    assert told.json()["token_type"] == "Bearer"


@pytest.mark.parametrize(
    "claims",
    [
        {"aud": "https://evil.test"}, {"aud": [TOKEN]}, {"aud": [TOKEN, "https://evil.test"]}, {"aud": None},
        {"aud": TOKEN + "/"},
        {"aud": ISSUER + "/"}, {"iss": "tvc_other"}, {"iss": None}, {"sub": None}, {"sub": "tvc_other"}, {"sub": 7},
        {"exp": None},
        {"exp": "soon"}, {"exp": 0}, {"exp": 10**15}, {"exp": True}, {"jti": None}, {"jti": ""}, {"jti": 7}, {"jti": "x" * 500},
        {"iat": 10**12}, {"iat": "now"}, {"nbf": 10**12}, {"nbf": None, "iat": None, "exp": 1e300},
    ],
)  # fmt: skip
async def test_an_assertion_that_says_another_thing_proves_nobody(server, post, clock, claims) -> None:
    client = await registered(server, ASSERTION, jwks={"keys": [HOLDER.jwk]})
    answer = await post(asserting(HOLDER.assertion(client, TOKEN, clock.now(), **claims)))

    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")


@pytest.mark.parametrize("seconds", [0, -1, 306])
async def test_an_assertion_that_has_ended_or_lives_too_long_proves_nobody(server, post, clock, seconds) -> None:
    client = await registered(server, ASSERTION, jwks={"keys": [HOLDER.jwk]})
    end = int(clock.now().timestamp()) + seconds

    assert (await post(asserting(HOLDER.assertion(client, TOKEN, clock.now(), exp=end)))).status_code == 401


@pytest.mark.parametrize(
    "header",
    [
        {"alg": "none"}, {"alg": "HS256"}, {"alg": "RS256"}, {"alg": None}, {"jwk": HOLDER.jwk}, {"jku": "https://evil.test"},
        {"x5u": "https://evil.test"}, {"x5c": []}, {"crit": ["exp"]}, {"b64": False}, {"typ": "at+jwt"}, {"typ": "dpop+jwt"},
        {"typ": 7}, {"kid": "k" * 600},
    ],
)  # fmt: skip
async def test_an_assertion_with_another_header_proves_nobody(server, post, clock, header) -> None:
    client = await registered(server, ASSERTION, jwks={"keys": [HOLDER.jwk]})
    answer = await post(asserting(HOLDER.assertion(client, TOKEN, clock.now(), header)))

    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")


@pytest.mark.parametrize(
    "header", [{"typ": None}, {"typ": "client-authentication+jwt"}, {"x5t": "x"}, {"kid": "unknown"}, {"kid": None}]
)
async def test_what_libraries_add_harmlessly_is_accepted(server, post, clock, header) -> None:
    client = await registered(server, ASSERTION, jwks={"keys": [HOLDER.jwk]})

    assert (await post(asserting(HOLDER.assertion(client, TOKEN, clock.now(), header)))).status_code == 200


@pytest.mark.parametrize(
    "assertion", ["", "a.b.c", "x" * 9000, HOLDER.sign(b"{}", b"[" * 3000), HOLDER.sign(b"{}", b'{"a":' * 900)]
)
async def test_what_is_no_assertion_is_a_refusal_and_no_crash(server, post, assertion) -> None:
    answer = await post(asserting(assertion))

    assert answer.status_code in (400, 401)
    assert answer.json()["error"] in ("invalid_client", "invalid_request")


async def test_members_named_twice_prove_nobody(server, post, clock) -> None:
    client = await registered(server, ASSERTION, jwks={"keys": [HOLDER.jwk]})
    good = HOLDER.assertion(client, TOKEN, clock.now())
    header = json.dumps({"alg": "ES256", "typ": "JWT"}).encode()
    now = int(clock.now().timestamp())
    body = (
        f'{{"iss": "{client}", "sub": "tvc_other", "sub": "{client}", "aud": "{TOKEN}", "exp": {now + 60}, "jti": "1"}}'.encode()
    )

    assert (await post(asserting(HOLDER.sign(header, body)))).status_code == 401
    assert (await post(asserting(good))).status_code == 200


async def test_the_key_of_another_client_the_wrong_way_and_a_closed_client_answer_like_an_unknown_one(
    server, post, clock
) -> None:
    mine, now = Holder(), clock.now()
    client = await registered(server, ASSERTION, jwks={"keys": [HOLDER.jwk]})
    secret = await server.clients.add("by secret", ["quotes:read"], details=Details(jwks={"keys": [mine.jwk]}))
    keyless = await registered(server, ASSERTION, jwks={"keys": []})
    closed = await registered(server, ASSERTION, jwks={"keys": [mine.jwk]})
    await server.clients.deactivate(closed)
    answers = [
        await post(asserting(holder.assertion(who, TOKEN, now), **form))
        for holder, who, form in (
            (mine, client, {}), (mine, "tvc_nobody", {}), (mine, secret.client_id, {}), (mine, keyless, {}), (mine, closed, {}),
            (HOLDER, client, {"client_id": "tvc_other"}),
        )
    ]  # fmt: skip

    assert {(answer.status_code, answer.text) for answer in answers} == {(401, answers[0].text)}


async def test_two_ways_at_once_or_half_a_way_is_a_request_that_cannot_be_read(server, post, clock) -> None:
    client = await registered(server, ASSERTION, jwks={"keys": [HOLDER.jwk]})
    good = HOLDER.assertion(client, TOKEN, clock.now())
    answers = [
        await post(asserting(good, client_id=client, client_secret="x")),
        await post(asserting(good, client_secret="x")),
        await post(asserting(good), authorization="Basic YTpi"),
        await post(GRANT | {"client_assertion": good}),
        await post(GRANT | {"client_assertion_type": TYPE}),
        await post(asserting(good, client_assertion_type="urn:ietf:params:oauth:client-assertion-type:saml2-bearer")),
    ]

    assert [(answer.status_code, answer.json()["error"]) for answer in answers] == [(400, "invalid_request")] * 6
    assert (await post(asserting(good))).status_code == 200  # none of them used it up


async def test_a_client_that_is_to_assert_gets_nothing_for_its_secret(server, post) -> None:
    new = await server.clients.add("desk", ["quotes:read"], details=Details(auth_method=ASSERTION, jwks={"keys": [HOLDER.jwk]}))

    assert (await post(GRANT | {"client_id": new.client_id, "client_secret": new.secret})).status_code == 401


DER, OTHER = certificate(), certificate()


@pytest.mark.parametrize(
    ("method", "registered_as"),
    [(SELF_SIGNED, x5t(DER)), (TLS, "CN=northwind,O=Northwind Devices")],
    ids=["thumbprint", "subject"],
)
async def test_a_client_proves_itself_by_the_certificate_it_showed_the_terminator(server, post, method, registered_as) -> None:
    client = await registered(server, method, certificate=registered_as)
    answer = await post(GRANT | {"client_id": client}, shown=DER)

    assert answer.status_code == 200, answer.text
    assert claims_of(answer)["cnf"] == {"x5t#S256": x5t(DER)}
    assert answer.json()["token_type"] == "Bearer"


@pytest.mark.parametrize(
    ("method", "registered_as"),
    [(SELF_SIGNED, x5t(DER)), (TLS, "CN=northwind,O=Northwind Devices")],
    ids=["thumbprint", "subject"],
)
async def test_nobody_but_the_terminator_can_say_which_certificate_was_shown(server, post, method, registered_as) -> None:
    client = await registered(server, method, certificate=registered_as)
    attempts = [
        await post(GRANT | {"client_id": client}),
        await post(GRANT | {"client_id": client}, shown=DER, peer="192.0.2.1"),
        await post(GRANT | {"client_id": client}, peer="10.0.0.7", X_Forwarded_Client_Cert=rfc9440(DER)),
        await post(GRANT | {"client_id": client, "client_secret": "x"}, shown=DER),
        await post(GRANT | {"client_id": "tvc_nobody"}, shown=DER),
        await post(GRANT, shown=DER),
    ]

    assert {(attempt.status_code, attempt.json()["error"]) for attempt in attempts} == {(401, "invalid_client")}


async def test_another_certificate_proves_nobody(server, post) -> None:
    client = await registered(server, SELF_SIGNED, certificate=x5t(DER))

    assert (await post(GRANT | {"client_id": client}, shown=OTHER)).status_code == 401


async def test_a_subject_proves_nothing_where_anyone_may_make_a_certificate(database, clock, tmp_path, build) -> None:
    lax = TRUSTED.model_copy(update={"verifies_chain": False})
    server = await open_server(database, public_url=ISSUER, data=tmp_path, clock=clock, terminator=lax)
    app = build(mounts={"oauth": oauth_app(server)}, authenticate=authenticate(server.verifier)).app
    by_name = await registered(server, TLS, certificate="CN=northwind,O=Northwind Devices")
    by_print = await registered(server, SELF_SIGNED, certificate=x5t(DER))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app, client=("10.0.0.7", 1)), base_url="http://x.test") as client:
        headers = {"Client-Cert": rfc9440(DER)}
        answers = [
            await client.post("/oauth/token", data=GRANT | {"client_id": who}, headers=headers) for who in (by_name, by_print)
        ]
    await server.close()

    assert [answer.status_code for answer in answers] == [401, 200]


async def test_a_client_that_is_bound_to_secrets_gets_no_certificate_bound_token(server, post) -> None:
    new = await server.clients.add("desk", ["quotes:read"])
    answer = await post(GRANT | {"client_id": new.client_id, "client_secret": new.secret}, shown=DER)

    assert "cnf" not in claims_of(answer)


async def test_a_public_client_may_name_itself_but_gets_no_token_of_its_own(server, post) -> None:
    details = {"grants": ("authorization_code",), "redirect_uris": ("https://portal.example/back",)}
    client = await registered(server, NONE, **details)
    answer = await post(GRANT | {"client_id": client})

    assert answer.status_code in (400, 401)
    assert "access_token" not in answer.json()


async def test_a_token_is_bound_to_the_key_whose_proof_came_along(server, post, clock) -> None:
    new = await server.clients.add("desk", ["quotes:read"])
    form = GRANT | {"client_id": new.client_id, "client_secret": new.secret}
    answer = await post(form, DPoP=HOLDER.proof("POST", TOKEN, clock.now()))
    told = await post(form | {"token": answer.json()["access_token"]}, "/oauth/introspect")

    assert answer.json()["token_type"] == told.json()["token_type"] == "DPoP"
    assert claims_of(answer)["cnf"] == told.json()["cnf"] == {"jkt": HOLDER.thumbprint}


@pytest.mark.parametrize(
    "spoiled",
    [{"htm": "GET"}, {"htu": TOKEN + "/x"}, {"htu": ISSUER + "/oauth/introspect"}, {"iat": 0}, {"jti": None},
     {"header": {"typ": "JWT"}}, {"header": {"alg": "none"}}],
)  # fmt: skip
async def test_a_bad_proof_is_told_apart_from_a_bad_client_and_gives_no_token(server, post, clock, spoiled) -> None:
    new = await server.clients.add("desk", ["quotes:read"])
    form = GRANT | {"client_id": new.client_id, "client_secret": new.secret}
    answer = await post(form, DPoP=HOLDER.proof("POST", TOKEN, clock.now(), **spoiled))

    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_dpop_proof")
    assert answer.json()["error_description"]


async def test_a_proof_used_twice_and_two_proofs_at_once_give_no_token(server, post, clock) -> None:
    new = await server.clients.add("desk", ["quotes:read"])
    form, proof = GRANT | {"client_id": new.client_id, "client_secret": new.secret}, HOLDER.proof("POST", TOKEN, clock.now())
    first, second = await post(form, DPoP=proof), await post(form, DPoP=proof)

    assert first.status_code == 200
    assert second.json()["error"] == "invalid_dpop_proof"


async def test_a_client_that_must_prove_possession_gets_no_token_without(server, post, clock) -> None:
    new = await server.clients.add("desk", ["quotes:read"], details=Details(dpop_required=True))
    form = GRANT | {"client_id": new.client_id, "client_secret": new.secret}
    without, with_proof = await post(form), await post(form, DPoP=HOLDER.proof("POST", TOKEN, clock.now()))
    introspected = await post(form | {"token": with_proof.json()["access_token"]}, "/oauth/introspect")

    assert (without.status_code, without.json()["error"]) == (400, "invalid_dpop_proof")
    assert with_proof.status_code == 200
    assert introspected.json()["active"] is True  # asking about a token issues none


async def test_a_wrong_secret_is_not_made_better_by_a_proof(server, post, clock) -> None:
    new = await server.clients.add("desk", ["quotes:read"])
    form = GRANT | {"client_id": new.client_id, "client_secret": new.secret[:-1] + "_"}

    assert (await post(form, DPoP=HOLDER.proof("POST", TOKEN, clock.now()))).json()["error"] == "invalid_client"


async def test_a_token_may_be_bound_to_a_key_and_a_certificate(server, post, clock) -> None:
    client = await registered(server, SELF_SIGNED, certificate=x5t(DER))
    answer = await post(GRANT | {"client_id": client}, shown=DER, DPoP=HOLDER.proof("POST", TOKEN, clock.now()))

    assert claims_of(answer)["cnf"] == {"jkt": HOLDER.thumbprint, "x5t#S256": x5t(DER)}


@pytest.mark.parametrize(
    ("said", "methods", "certificates"),
    [
        (TRUSTED, {TLS, SELF_SIGNED}, True), (TRUSTED.model_copy(update={"verifies_chain": False}), {SELF_SIGNED}, True),
        (Terminator(), set(), False),
    ],
)  # fmt: skip
async def test_the_metadata_offers_what_can_be_done_here(database, clock, tmp_path, said, methods, certificates) -> None:
    server = await open_server(database, public_url=ISSUER, data=tmp_path, clock=clock, terminator=said)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(oauth_app(server)), base_url="http://x.test") as client:
        told = (await client.get("/.well-known/oauth-authorization-server")).json()
        resource = (await client.get("/.well-known/oauth-protected-resource")).json()
    await server.close()

    assert {ASSERTION, "client_secret_basic"} <= set(told["token_endpoint_auth_methods_supported"])
    for endpoint in ("token", "introspection", "revocation"):
        assert set(told[f"{endpoint}_endpoint_auth_methods_supported"]) & {TLS, SELF_SIGNED} == methods
        assert "none" not in told[f"{endpoint}_endpoint_auth_signing_alg_values_supported"]
    for document in (told, resource):
        assert document["tls_client_certificate_bound_access_tokens"] is certificates
        assert document["dpop_signing_alg_values_supported"] == ["ES256", "RS256", "PS256", "EdDSA"]
