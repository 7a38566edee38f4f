"""No token but a good one of ours gets through the door to a real operation, whatever is done to it, and none breaks it."""

import json
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
import pytest_asyncio
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st

from gateway.oauth.clients import Details
from kernel.problem import Unauthorized
from tests.attacks.token_vectors import URL, VECTORS, Forge
from tests.contract_tests.contract_files import Promise, promises, scopes
from tests.contract_tests.door import Entrance, entrance
from tests.gateway.conftest import Answer
from tests.gateway.oauth.holding import Holder

pytestmark = pytest.mark.asyncio(loop_scope="module")
READ = next(promise for promise in promises() if promise.id == "get_order" or promise.path.endswith("/orders/{order_id}"))
WRITE = next(promise for promise in promises() if promise.method == "POST" and promise.takes_body and promise.scopes)
MANY = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=150)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def gate(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Entrance]:
    async with entrance(tmp_path_factory.mktemp("door")) as opened:
        yield opened


@pytest.fixture
def forge(gate: Entrance) -> Forge:
    return Forge(gate.server, int(gate.clock.now().timestamp()), " ".join(scopes()))


async def shown(gate: Entrance, promise: Promise, token: str) -> Answer:
    """The token as it is, in the bytes that a server would hand on."""
    return await gate.ask(promise, token=token.encode("utf-8", "surrogatepass").decode("latin-1"))


def is_refused(answer: Answer) -> None:
    assert (answer.status, answer.headers["content-type"]) == (401, "application/problem+json"), answer.body
    assert answer.headers["www-authenticate"].partition(" ")[0] in ("Bearer", "DPoP")
    assert 'error="' in answer.headers["www-authenticate"] or "DPoP algs" in answer.headers["www-authenticate"]
    assert answer.json()["status"] == 401
    assert "tvc_victim" not in answer.body.decode()


async def test_what_the_forge_starts_from_is_a_token_that_gets_through(gate, forge) -> None:
    """Or every refusal below would prove nothing."""
    reached = gate.behind.reached
    answers = [await shown(gate, promise, forge.true()) for promise in (READ, WRITE)]

    assert [answer.status for answer in answers] == [200, 200], answers[0].body
    assert gate.behind.reached == reached + 2


@pytest.mark.parametrize("vector", VECTORS)
async def test_a_forged_token_is_refused_at_a_real_operation(gate, forge, vector) -> None:
    token, reached = VECTORS[vector](forge), gate.behind.reached
    answers = [await shown(gate, promise, token or " ") for promise in (READ, WRITE)]
    again = await shown(gate, READ, token or " ")  # nothing of the first try is remembered in its favour

    for answer in (*answers, again):
        is_refused(answer)
    assert gate.behind.reached == reached


async def test_a_token_larger_than_any_head_may_be_gets_not_even_as_far(gate, forge) -> None:
    reached = gate.behind.reached
    answer = await shown(gate, READ, forge.true({"kid": "k" * 100_000}))

    assert (answer.status, answer.headers["content-type"]) == (431, "application/problem+json")
    assert gate.behind.reached == reached


async def test_the_suite_is_as_large_as_it_says() -> None:
    assert len(VECTORS) > 300


async def test_a_token_in_another_place_is_no_token(gate, forge) -> None:
    good = forge.true()
    answers = [
        await gate.ask(READ, token=None, target=f"{READ.target}?access_token={good}"),
        await gate.ask(READ, token=None, cookie=f"access_token={good}"),
        await gate.ask(READ, token=None, x_access_token=good),
        await gate.ask(READ, token=None, proxy_authorization=f"Bearer {good}"),
        await gate.ask(READ, token=None, x_authorization=f"Bearer {good}"),
        *[
            await gate.ask(READ, token=None, authorization=f"{scheme}{good}")
            for scheme in ("", "Basic ", "Token ", "Bearer", "JWT ", "DPoP ")
        ],
    ]

    for answer in answers:
        is_refused(answer)


async def test_a_token_that_was_called_back_or_whose_client_is_closed_is_refused_though_it_was_seen(gate, forge) -> None:
    token = forge.true(None, {"jti": "to-be-revoked"})
    new = await gate.server.clients.add("closed soon", scopes(), details=Details())
    theirs = gate.server.tokens.issue(new.client_id, scopes())
    before = [(await shown(gate, READ, each)).status for each in (token, theirs)]
    await gate.server.trust.revoke("to-be-revoked", forge.now + 600)
    await gate.server.clients.deactivate(new.client_id)
    gate.clock.pass_seconds(1)

    assert before == [200, 200]
    for each in (token, theirs):
        is_refused(await shown(gate, READ, each))


async def test_a_token_for_one_scope_opens_nothing_else_and_that_is_another_refusal(gate, forge) -> None:
    answer = await shown(gate, READ, forge.true(None, {"scope": "nothing:here"}))

    assert answer.status == 403


TOKEN_BYTES = st.sampled_from(b"ABCabc019-_.=+/ \x00\xff") | st.integers(0, 255)


@MANY
@given(
    position=st.integers(min_value=0),
    byte=TOKEN_BYTES,
    how=st.sampled_from(["change", "insert", "drop", "cut", "double", "swap"]),
)
async def test_no_changed_byte_makes_it_anybodys_token(gate, position, byte, how) -> None:
    token = gate.server.tokens.issue("tvc_desk", ["quotes:read"]).encode()
    at = position % len(token)
    changed = {
        "change": token[:at] + bytes([byte]) + token[at + 1 :], "insert": token[:at] + bytes([byte]) + token[at:],
        "drop": token[:at] + token[at + 1 :], "cut": token[:at], "double": token[: at + 1] + token[at:],
        "swap": token[:at] + token[at + 1 : at + 2] + token[at : at + 1] + token[at + 2 :],
    }[how]  # fmt: skip
    assume(changed != token)
    await gate.server.verifier.verify(token)  # seen, so that a memory could be confused too

    assert gate.server.verifier.recall(changed) is None
    with pytest.raises(Unauthorized):
        await gate.server.verifier.verify(changed)


@MANY
@given(st.binary(max_size=400) | st.text(max_size=200).map(lambda text: text.encode("utf-8", "surrogatepass")))
async def test_no_bytes_at_all_break_the_door(gate, raw) -> None:
    answer = await gate.ask(READ, token=raw.decode("latin-1") or " ")

    is_refused(answer)


NAMES = st.sampled_from(
    ["alg", "typ", "kid", "iss", "sub", "aud", "exp", "iat", "nbf", "jti", "scope", "client_id", "plan", "accounts", "cnf"]
)
LEAVES = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.sampled_from([URL, "ES256", "at+jwt"])
)
VALUES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3), max_leaves=6
)


@MANY
@given(
    header=st.dictionaries(NAMES | st.text(max_size=8), VALUES, max_size=3),
    claims=st.dictionaries(NAMES | st.text(max_size=8), VALUES, max_size=5),
)
@example(header={}, claims={"sub": "tvc_other"})
async def test_even_our_own_signature_makes_nobody_but_whom_the_token_names(gate, header, claims) -> None:
    forge = Forge(gate.server, int(gate.clock.now().timestamp()), "orders:read")
    said = forge.claims | claims
    token = forge.ours.sign(json.dumps(forge.header | header).encode(), json.dumps(said).encode())
    try:
        caller = await gate.server.verifier.verify(token.encode())
    except Unauthorized:
        return

    assert (caller.client, caller.subject, caller.token_id, caller.expires_at) == (
        said["client_id"], said["sub"], said["jti"], said["exp"],
    )  # fmt: skip
    assert caller.scopes == frozenset(said["scope"].split())


@MANY
@given(change=st.dictionaries(NAMES, VALUES, min_size=1, max_size=3))
async def test_what_a_stranger_signs_is_never_believed(gate, change) -> None:
    forge = Forge(gate.server, int(gate.clock.now().timestamp()), "orders:read")
    stranger = Holder("ES256", forge.ours.kid)
    token = stranger.sign(json.dumps(forge.header | change).encode(), json.dumps(forge.claims | change).encode())

    is_refused(await shown(gate, READ, token))


async def test_a_flood_of_forgeries_leaves_the_memory_of_good_tokens_alone(gate, forge) -> None:
    good = forge.true(None, {"jti": "good"})
    await gate.server.verifier.verify(good.encode())
    kept = len(gate.server.verifier._seen)
    for n in range(500):
        is_refused(await shown(gate, READ, replace(forge, now=forge.now - 9000).true(None, {"jti": str(n)})))

    assert len(gate.server.verifier._seen) <= kept
    assert gate.server.verifier.recall(good.encode()) is not None
