"""Whoever calls is who the token proves, whatever the headers say."""

from dataclasses import replace
from pathlib import Path

import pytest

from gateway.oauth.server import AuthorizationServer, open_server
from gateway.pipeline import NOBODY, Call, Operation
from gateway.policies.authenticate import authenticate
from kernel.clock import SystemClock
from kernel.db import Database
from kernel.problem import BadRequest, Unauthorized

OPERATION = Operation(
    id="submit_order", api="process/orders", version="1.0.0", layer="process", method="POST", path="/o", scopes=frozenset(),
    public=False, limits={}, idempotency="none", timeout=1, max_body=1, audience="internal", path_parameters={},
    query_parameters={}, required_query=frozenset(), header_parameters={}, required_headers=frozenset(), body_schema=None,
    body_required=False, body_media=(),
)  # fmt: skip


@pytest.fixture
async def server(tmp_path: Path):
    database = Database(f"sqlite:///{tmp_path / 'trivium.sqlite'}")
    await database.create_all()
    server = await open_server(database, public_url="https://api.example.test", data=tmp_path, clock=SystemClock())
    yield server
    await server.close()
    await database.close()


async def passed(server: AuthorizationServer, *headers: tuple[bytes, bytes], public: bool = False) -> Call:
    """The call as the next policy sees it."""
    seen: list[Call] = []

    async def forward(call: Call) -> None:
        seen.append(call)

    async def nothing(*_: object) -> None:
        raise AssertionError("not used")

    operation = replace(OPERATION, public=public)
    policy = authenticate(server.verifier)(operation)
    assert policy is not None
    await policy(Call({"type": "http", "headers": list(headers)}, nothing, nothing, operation, {}, "c"), forward)
    return seen[0]


def bearer(server: AuthorizationServer, *scopes: str) -> tuple[bytes, bytes]:
    return b"authorization", b"Bearer " + server.tokens.issue("tvc_desk", scopes or ["quotes:read"]).encode()


async def test_the_caller_is_who_the_token_proves_first_and_every_time(server) -> None:
    header = bearer(server)
    first, again = await passed(server, header), await passed(server, header)

    assert first.caller.client == "tvc_desk"
    assert again.caller is first.caller


@pytest.mark.parametrize(
    "headers", [[], [(b"authorization", b"Basic YTpi")], [(b"authorization", b"")], [(b"authorization", b"Bearer")]]
)
async def test_a_call_without_a_token_is_told_where_to_get_one_and_no_error_code(server, headers) -> None:
    with pytest.raises(Unauthorized) as refusal:
        await passed(server, *headers)

    expected = 'Bearer resource_metadata="https://api.example.test/.well-known/oauth-protected-resource"'
    assert refusal.value.headers["WWW-Authenticate"] == f'{expected}, DPoP algs="ES256 RS256 PS256 EdDSA"'


@pytest.mark.parametrize("token", [b"Bearer x", b"Bearer ", b"bearer a.b.c", b"Bearer \xff\xfe", b"Bearer " + b"a" * 100_000])
async def test_a_call_with_a_bad_token_is_refused(server, token) -> None:
    with pytest.raises(Unauthorized) as refusal:
        await passed(server, (b"authorization", token))

    assert 'error="invalid_token"' in refusal.value.headers["WWW-Authenticate"]


async def test_two_authorization_headers_are_refused(server) -> None:
    with pytest.raises(BadRequest):
        await passed(server, bearer(server), bearer(server))


async def test_what_callers_say_about_themselves_is_dropped_before_anything(server) -> None:
    said = [(b"x-trivium-caller", b"tvc_partner"), (b"x-trivium-plan", b"gold"), (b"x_trivium_caller", b"x"), (b"accept", b"*/*")]
    token = bearer(server)
    call = await passed(server, *said, token)

    assert call.caller.client == "tvc_desk"
    assert call.scope["headers"] == [(b"accept", b"*/*"), token]
    assert call.headers == dict(call.scope["headers"])


async def test_it_is_dropped_from_public_operations_too_and_nobody_needs_a_token(server) -> None:
    call = await passed(server, (b"x-trivium-caller", b"tvc_partner"), (b"accept", b"*/*"), public=True)

    assert call.caller is NOBODY
    assert call.scope["headers"] == [(b"accept", b"*/*")]
