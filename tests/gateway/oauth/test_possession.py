"""A bound token at the door: whoever holds what it is bound to gets through, and a thief of the token alone never does."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.oauth.server import AuthorizationServer, open_server
from gateway.policies.authenticate import authenticate
from kernel.sections.terminator import Terminator
from tests.gateway.oauth.holding import Holder, certificate, rfc9440, rsa, x5t

ISSUER, PATH = "https://api.example.test", "/process/orders/v1/orders"
URL = ISSUER + PATH
TRUSTED = Terminator.model_validate({"addresses": ["10.0.0.7"]})
HOLDER, DER = Holder(), certificate()
Call = Callable[..., Awaitable[Any]]
pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


@pytest.fixture
async def server(database, clock, tmp_path) -> AsyncIterator[AuthorizationServer]:
    server = await open_server(database, public_url=ISSUER, data=tmp_path, clock=clock, terminator=TRUSTED)
    yield server
    await server.close()


@pytest.fixture
def call(server, build, asking) -> Call:
    """Asks the door; several headers of one name may be given as a list."""
    app = build(authenticate=authenticate(server.verifier)).app

    async def send(token: str, scheme: str = "Bearer", *, method: str = "GET", target: str = PATH, **more: Any) -> Any:
        peer = more.pop("peer", "192.0.2.7")
        listed = [
            (name.replace("_", "-"), one)
            for name, value in more.items()
            for one in ([value] if isinstance(value, str) else value)
        ]
        return await asking(_from(app, peer), method, target, [("authorization", f"{scheme} {token}"), *listed])

    return send


def _from(app: ASGIApp, peer: str) -> ASGIApp:
    async def asked(scope: Scope, receive: Receive, send: Send) -> None:
        await app({**scope, "client": (peer, 1)}, receive, send)

    return asked


def bound(server: AuthorizationServer, **confirmation: str) -> str:
    return server.tokens.issue("tvc_desk", ["orders:read"], confirmation=confirmation or {"jkt": HOLDER.thumbprint})


@pytest.mark.parametrize("algorithm", ["ES256", "RS256", "PS256", "EdDSA"])
async def test_the_holder_of_the_key_gets_through_with_a_new_proof_each_time(server, call, clock, algorithm) -> None:
    holder = rsa(algorithm) if algorithm in ("RS256", "PS256") else Holder(algorithm)
    token = bound(server, jkt=holder.thumbprint)
    answers = [await call(token, "DPoP", dpop=holder.proof("GET", URL, clock.now(), token)) for _ in range(3)]

    assert [answer.status for answer in answers] == [200, 200, 200]


async def test_a_key_bound_token_is_worth_nothing_as_bearer_not_even_with_a_proof(server, call, clock) -> None:
    token = bound(server)
    first = await call(token)
    remembered = await call(token)
    proved = await call(token, dpop=HOLDER.proof("GET", URL, clock.now(), token))

    for answer in (first, remembered, proved):
        assert answer.status == 401
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.headers["www-authenticate"].startswith('DPoP error="invalid_token"')
        assert 'algs="ES256 RS256 PS256 EdDSA"' in answer.headers["www-authenticate"]


async def test_a_token_seen_before_with_its_proof_is_not_remembered_as_proved(server, call, clock) -> None:
    token, proof = bound(server), HOLDER.proof
    good = await call(token, "DPoP", dpop=proof("GET", URL, clock.now(), token))
    thief = Holder()
    attempts = [
        await call(token, "DPoP"),
        await call(token, "DPoP", dpop=thief.proof("GET", URL, clock.now(), token)),
        await call(token, "DPoP", dpop=proof("GET", URL, clock.now(), bound(server))),
        await call(token, "DPoP", dpop=proof("GET", URL, clock.now())),
        await call(token, "DPoP", dpop=proof("POST", URL, clock.now(), token)),
        await call(token, "DPoP", dpop=proof("GET", ISSUER + "/process/orders/v1/hello", clock.now(), token)),
        await call(token, "DPoP", dpop="nonsense"),
        await call(token),
    ]

    assert good.status == 200
    assert {answer.status for answer in attempts} == {401}
    assert all(answer.headers["www-authenticate"].startswith("DPoP error=") for answer in attempts)


async def test_a_proof_overheard_on_the_way_counts_no_second_time(server, call, clock) -> None:
    token = bound(server)
    proof = HOLDER.proof("GET", URL, clock.now(), token)
    first, second = await call(token, "DPoP", dpop=proof), await call(token, "DPoP", dpop=proof)

    assert (first.status, second.status) == (200, 401)
    assert 'error="invalid_dpop_proof"' in second.headers["www-authenticate"]


async def test_two_proofs_at_once_are_refused(server, call, clock) -> None:
    token = bound(server)
    proofs = [HOLDER.proof("GET", URL, clock.now(), token) for _ in range(2)]

    assert (await call(token, "DPoP", dpop=proofs)).status in (400, 401)


async def test_a_bearer_token_cannot_be_sent_as_if_it_were_bound(server, call, clock) -> None:
    token = server.tokens.issue("tvc_desk", ["orders:read"])
    answer = await call(token, "DPoP", dpop=HOLDER.proof("GET", URL, clock.now(), token))

    assert answer.status == 401
    assert "not bound" in answer.json()["detail"]


async def test_scope_and_end_hold_for_bound_tokens_too(server, call, clock) -> None:
    narrow = server.tokens.issue("tvc_desk", ["orders:write"], confirmation={"jkt": HOLDER.thumbprint})
    forbidden = await call(narrow, "DPoP", dpop=HOLDER.proof("GET", URL, clock.now(), narrow))
    token = bound(server)
    clock.pass_seconds(601)
    ended = await call(token, "DPoP", dpop=HOLDER.proof("GET", URL, clock.now(), token))

    assert (forbidden.status, ended.status) == (403, 401)


async def test_a_query_is_no_part_of_the_address_that_is_proved(server, call, clock) -> None:
    token = bound(server)
    answer = await call(token, "DPoP", target=PATH + "?limit=5", dpop=HOLDER.proof("GET", URL + "?limit=5", clock.now(), token))

    assert answer.status == 200


async def test_a_certificate_bound_token_needs_its_certificate_at_every_call(server, call) -> None:
    token = bound(server, **{"x5t#S256": x5t(DER)})
    shown = await call(token, peer="10.0.0.7", client_cert=rfc9440(DER))
    attempts = [
        await call(token, peer="10.0.0.7"),
        await call(token, peer="10.0.0.7", client_cert=rfc9440(certificate())),
        await call(token, peer="10.0.0.7", client_cert="nonsense"),
        await call(token, client_cert=rfc9440(DER)),
        await call(token, x_forwarded_client_cert=f"Hash={x5t(DER)}"),
    ]

    assert shown.status == 200
    assert {answer.status for answer in attempts} == {401}
    assert all('error="invalid_token"' in answer.headers["www-authenticate"] for answer in attempts)


async def test_a_token_bound_twice_needs_both(server, call, clock) -> None:
    token = bound(server, jkt=HOLDER.thumbprint, **{"x5t#S256": x5t(DER)})
    proof = HOLDER.proof
    both = await call(token, "DPoP", peer="10.0.0.7", client_cert=rfc9440(DER), dpop=proof("GET", URL, clock.now(), token))
    key_only = await call(token, "DPoP", dpop=proof("GET", URL, clock.now(), token))
    certificate_only = await call(token, peer="10.0.0.7", client_cert=rfc9440(DER))

    assert [answer.status for answer in (both, key_only, certificate_only)] == [200, 401, 401]


async def test_what_is_behind_the_door_never_sees_a_certificate_header(server, build, asking) -> None:
    house = build(authenticate=authenticate(server.verifier))
    token = server.tokens.issue("tvc_desk", ["orders:read"])
    names = ("client-cert", "x-forwarded-client-cert", "client_cert")
    headers = [("authorization", f"Bearer {token}"), *((name, rfc9440(DER)) for name in names)]
    governed = await asking(house.app, "GET", PATH, headers)
    public = await asking(house.app, "GET", "/process/orders/v1/hello", headers[1:])

    assert (governed.status, public.status) == (200, 200)
    assert not {name.decode() for scope in house.echo.scopes for name, _ in scope["headers"]} & set(names)


async def test_a_caller_without_a_token_is_offered_both_ways(call) -> None:
    answer = await call("", "Basic")

    assert answer.status == 401
    assert "Bearer resource_metadata=" in answer.headers["www-authenticate"]
    assert 'DPoP algs="ES256 RS256 PS256 EdDSA"' in answer.headers["www-authenticate"]
