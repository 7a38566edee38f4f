"""The authorization server over HTTP, as a client library meets it."""

import json
from base64 import b64encode, urlsafe_b64decode

import httpx
import pytest
from authlib.integrations.httpx_client import AsyncOAuth2Client
from authlib.oauth2 import rfc9207
from authlib.oauth2.rfc8414 import AuthorizationServerMetadata
from joserfc import jwt
from joserfc.jwk import ECKey

from gateway.oauth.access_token import LIFETIME
from gateway.oauth.app import oauth_app
from gateway.oauth.clients import NewClient
from gateway.oauth.server import AuthorizationServer

ISSUER = "https://api.example.test"
GRANT = {"grant_type": "client_credentials"}


@pytest.fixture
async def desk(server: AuthorizationServer) -> NewClient:
    return await server.clients.add("sales desk", ["quotes:read", "quotes:write"])


async def test_a_client_gets_a_token_that_anyone_can_check_with_the_published_keys(http, desk) -> None:
    answer = await http.post("/oauth/token", data=GRANT | {"scope": "quotes:read"}, auth=tuple(desk))
    body = answer.json()
    keys = {jwk["kid"]: ECKey.import_key(jwk) for jwk in (await http.get("/oauth/jwks.json")).json()["keys"]}
    header = json.loads(_decoded(body["access_token"].split(".")[0]))
    token = jwt.decode(body["access_token"], keys[header["kid"]], algorithms=["ES256"])

    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    assert (body["token_type"], body["scope"], body["expires_in"]) == ("Bearer", "quotes:read", 600)
    assert token.header == {"alg": "ES256", "typ": "at+jwt", "kid": header["kid"]}
    assert token.claims["iss"] == token.claims["aud"] == ISSUER
    assert token.claims["sub"] == token.claims["client_id"] == desk.client_id
    assert token.claims["scope"] == "quotes:read"
    assert len(token.claims["jti"]) >= 16


async def test_a_client_library_gets_its_token_and_gives_it_back(server, desk) -> None:
    transport = httpx.ASGITransport(oauth_app(server))
    async with AsyncOAuth2Client(desk.client_id, desk.secret, transport=transport, scope="quotes:read") as library:
        token = await library.fetch_token(f"{ISSUER}/oauth/token", grant_type="client_credentials")
        introspected = await library.introspect_token(f"{ISSUER}/oauth/introspect", token=token["access_token"])
        await library.revoke_token(f"{ISSUER}/oauth/revoke", token=token["access_token"])
        afterwards = await library.introspect_token(f"{ISSUER}/oauth/introspect", token=token["access_token"])

    assert introspected.json()["scope"] == "quotes:read"
    assert afterwards.json() == {"active": False}


async def test_neither_secrets_nor_tokens_are_logged(http, desk, caplog) -> None:
    caplog.set_level("DEBUG")
    good = await http.post("/oauth/token", data=GRANT, auth=tuple(desk))
    await http.post("/oauth/introspect", data={"token": good.json()["access_token"]}, auth=tuple(desk))
    await http.post("/oauth/token", data=GRANT, auth=(desk.client_id, desk.secret[:-1] + "_"))

    assert good.status_code == 200
    assert desk.secret[:-1] not in caplog.text
    assert good.json()["access_token"] not in caplog.text


async def test_tokens_live_ten_minutes_not_ten_days(http, desk, clock) -> None:
    body = (await http.post("/oauth/token", data=GRANT, auth=tuple(desk))).json()
    claims = json.loads(_decoded(body["access_token"].split(".")[1]))

    assert body["expires_in"] == LIFETIME == 600
    assert claims["exp"] - claims["iat"] == 600
    assert claims["iat"] == int(clock.now().timestamp())


async def test_the_secret_may_travel_in_the_form(http, desk) -> None:
    answer = await http.post("/oauth/token", data=GRANT | {"client_id": desk.client_id, "client_secret": desk.secret})

    assert answer.status_code == 200


async def test_a_client_that_asks_for_no_scope_gets_all_of_its_own(http, desk) -> None:
    body = (await http.post("/oauth/token", data=GRANT, auth=tuple(desk))).json()

    assert body["scope"] == "quotes:read quotes:write"


@pytest.mark.parametrize(
    "scope", ["orders:write", "quotes:read orders:write", " ", "quotes:read  ", "quotes:*", "QUOTES:READ", "\u00e9"]
)
async def test_a_scope_that_is_not_the_clients_is_refused_never_dropped(http, desk, scope) -> None:
    answer = await http.post("/oauth/token", data=GRANT | {"scope": scope}, auth=tuple(desk))

    assert answer.status_code == 400
    assert answer.json()["error"] == "invalid_scope"
    assert "access_token" not in answer.json()


async def test_unknown_clients_wrong_secrets_closed_clients_and_no_proof_answer_alike(http, desk, server) -> None:
    closed = await server.clients.add("closed", ["quotes:read"])
    await server.clients.deactivate(closed.client_id)
    other_secret = closed.secret
    attempts = [
        ("tvc_nobody", desk.secret), (desk.client_id, other_secret), tuple(closed), (desk.client_id, "short"),
        (desk.client_id, ""),
        ("", ""), ("\x00'; drop", desk.secret),
    ]  # fmt: skip

    answers = [await http.post("/oauth/token", data=GRANT, auth=pair) for pair in attempts]
    answers += [await http.post("/oauth/token", data=GRANT)]
    answers += [await http.post("/oauth/token", data=GRANT | {"client_id": desk.client_id, "client_secret": "x"})]

    assert {(answer.status_code, answer.text) for answer in answers} == {(401, answers[0].text)}
    assert answers[0].json() == {"error": "invalid_client", "error_description": "The client could not be authenticated."}
    assert {answer.headers["www-authenticate"] for answer in answers} == {'Basic realm="trivium", charset="UTF-8"'}
    assert {answer.headers["cache-control"] for answer in answers} == {"no-store"}


@pytest.mark.parametrize("header", ["Basic ", "Basic", "Basic /////w==", "Basic !!", "Basic YWJj", "Bearer abc", b"\xff"])
async def test_an_unreadable_authorization_header_is_a_refusal_not_a_crash(http, header) -> None:
    answer = await http.post("/oauth/token", data=GRANT, headers={"Authorization": header})

    assert answer.status_code == 401
    assert answer.json()["error"] == "invalid_client"


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("grant_type=client_credentials&grant_type=client_credentials", "repeated"),
        ("grant_type=client_credentials&client_secret=x", "one way"),
        ("grant_type=client_credentials&client_id=another", "another client"),
        ("scope=quotes:read", "grant_type"),
        ("grant_type=", "grant_type"),
        ("grant_type=%FF", "cannot be read"),
        ("&".join(f"p{n}=1" for n in range(40)), "cannot be read"),
        (b"grant_type=\xff", "cannot be read"),
    ],
)
async def test_a_form_that_could_be_read_two_ways_is_refused(http, desk, content, why) -> None:
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = await http.post("/oauth/token", content=content, headers=headers, auth=tuple(desk))

    assert answer.status_code == 400
    assert answer.json()["error"] == "invalid_request"
    assert why in answer.json()["error_description"]


async def test_json_is_not_a_form(http, desk) -> None:
    answer = await http.post("/oauth/token", json=GRANT, auth=tuple(desk))

    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


async def test_secrets_in_the_address_are_not_read(http, desk) -> None:
    query = {"client_id": desk.client_id, "client_secret": desk.secret}
    answer = await http.post("/oauth/token", data=GRANT, params=query)

    assert answer.status_code == 401


async def test_other_grants_are_named_unsupported(http, desk) -> None:
    answer = await http.post("/oauth/token", data={"grant_type": "password", "username": "a", "password": "b"}, auth=tuple(desk))

    assert (answer.status_code, answer.json()["error"]) == (400, "unsupported_grant_type")


async def test_what_is_not_oauth_answers_as_a_problem(http) -> None:
    nowhere, wrong_method = await http.get("/oauth/nowhere"), await http.get("/oauth/token")
    large = await http.post("/oauth/token", content=b"a" * 20_000, headers={"Content-Type": "application/x-www-form-urlencoded"})
    slash = await http.post("/oauth/token/", data=GRANT)

    assert [answer.status_code for answer in (nowhere, wrong_method, large, slash)] == [404, 405, 413, 404]
    assert {a.headers["content-type"] for a in (nowhere, wrong_method, large, slash)} == {"application/problem+json"}
    assert wrong_method.headers["allow"] == "POST"


async def test_the_metadata_is_valid_and_names_the_public_address_behind_a_tls_terminator(http) -> None:
    described = (await http.get("/.well-known/oauth-authorization-server")).json()
    resource = (await http.get("/.well-known/oauth-protected-resource")).json()
    AuthorizationServerMetadata(described).validate(metadata_classes=[rfc9207.AuthorizationServerMetadata])

    assert described["issuer"] == ISSUER
    assert described["authorization_endpoint"] == f"{ISSUER}/oauth/authorize"
    assert described["registration_endpoint"] == f"{ISSUER}/oauth/register"
    assert described["response_types_supported"] == ["code"]
    assert described["code_challenge_methods_supported"] == ["S256"]
    assert described["authorization_response_iss_parameter_supported"] is True
    assert set(described["grant_types_supported"]) == {
        "authorization_code", "client_credentials", "refresh_token", "urn:ietf:params:oauth:grant-type:token-exchange",
    }  # fmt: skip
    assert "none" in described["token_endpoint_auth_methods_supported"]
    assert "none" not in described["introspection_endpoint_auth_methods_supported"]
    assert described["token_endpoint"] == f"{ISSUER}/oauth/token"
    assert described["scopes_supported"] == ["quotes:read", "quotes:write"]
    assert resource["resource"] == ISSUER
    assert resource["authorization_servers"] == [ISSUER]


async def test_the_key_set_holds_public_halves_only(http) -> None:
    answer = await http.get("/oauth/jwks.json")

    assert answer.headers["cache-control"] == "public, max-age=300"
    assert len(answer.json()["keys"]) == 2
    assert all(set(key) == {"kty", "crv", "x", "y", "kid", "use", "alg"} for key in answer.json()["keys"])


async def test_introspection_tells_a_client_about_its_own_good_tokens_only(http, desk, server, clock) -> None:
    token = (await http.post("/oauth/token", data=GRANT, auth=tuple(desk))).json()["access_token"]
    stranger = await server.clients.add("stranger", ["quotes:read"])
    own = await _introspect(http, desk, token)
    others, rubbish = await _introspect(http, stranger, token), await _introspect(http, desk, "rubbish")
    clock.pass_seconds(601)
    late = await _introspect(http, desk, token)

    assert (own["active"], own["client_id"], own["scope"]) == (True, desk.client_id, "quotes:read quotes:write")
    assert others == rubbish == late == {"active": False}


async def test_introspection_and_revocation_ask_for_the_client_and_the_token(http, desk) -> None:
    strangers = [await http.post(f"/oauth/{path}", data={"token": "x"}) for path in ("introspect", "revoke")]
    empty = [await http.post(f"/oauth/{path}", auth=tuple(desk), data={"a": "b"}) for path in ("introspect", "revoke")]

    assert [answer.status_code for answer in strangers] == [401, 401]
    assert [answer.json()["error"] for answer in empty] == ["invalid_request"] * 2


async def test_a_revoked_token_is_dead_at_once(http, desk) -> None:
    token = (await http.post("/oauth/token", data=GRANT, auth=tuple(desk))).json()["access_token"]
    first = await http.post("/oauth/revoke", data={"token": token, "token_type_hint": "anything"}, auth=tuple(desk))
    again = await http.post("/oauth/revoke", data={"token": token}, auth=tuple(desk))

    assert (first.status_code, again.status_code) == (200, 200)
    assert await _introspect(http, desk, token) == {"active": False}


async def test_nobody_revokes_anothers_token(http, desk, server) -> None:
    token = (await http.post("/oauth/token", data=GRANT, auth=tuple(desk))).json()["access_token"]
    stranger = await server.clients.add("stranger", ["quotes:read"])
    answer = await http.post("/oauth/revoke", data={"token": token}, auth=tuple(stranger))

    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")
    assert (await _introspect(http, desk, token))["active"] is True


async def _introspect(http: httpx.AsyncClient, client: NewClient, token: str) -> dict[str, object]:
    answer = await http.post("/oauth/introspect", data={"token": token}, headers=_basic(client))
    assert answer.status_code == 200
    return dict(answer.json())


def _basic(client: NewClient) -> dict[str, str]:
    return {"Authorization": "Basic " + b64encode(":".join(client).encode()).decode()}


def _decoded(part: str) -> bytes:
    return urlsafe_b64decode(part + "=" * (-len(part) % 4))
