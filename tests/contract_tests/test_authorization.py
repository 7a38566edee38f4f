"""Who may do what: every promised operation against every way not to be allowed."""

from collections.abc import Callable

import pytest
from joserfc.jwk import ECKey

from tests.contract_tests.contract_files import Promise, promises, scopes
from tests.contract_tests.door import Entrance, refused

pytestmark = pytest.mark.asyncio(loop_scope="module")
PROMISES = promises()
EACH = pytest.mark.parametrize("promise", PROMISES, ids=lambda promise: promise.id)
MINUTES = 60
BAD_TOKENS: dict[str, Callable[[Entrance], str]] = {
    "garbage": lambda gate: "garbage",
    "three parts of garbage": lambda gate: "Z2FyYmFnZQ.Z2FyYmFnZQ.Z2FyYmFnZQ",
    "expired": lambda gate: gate.forged(iat=_now(gate) - 20 * MINUTES, exp=_now(gate) - 10 * MINUTES),
    "not valid yet": lambda gate: gate.forged(nbf=_now(gate) + 5 * MINUTES),
    "for another audience": lambda gate: gate.forged(aud="https://elsewhere.example.test"),
    "from another issuer": lambda gate: gate.forged(iss="https://elsewhere.example.test"),
    "an id token": lambda gate: gate.forged({"typ": "JWT"}),
    "of no type": lambda gate: gate.forged({"typ": ""}),
    "signed by a stranger": lambda gate: gate.forged(key=ECKey.generate_key("P-256")),
    "of an unknown key": lambda gate: gate.forged({"kid": "unknown"}),
    "without its client": lambda gate: gate.forged(client_id=""),
    "without scopes": lambda gate: gate.forged(scope=""),
    "for our inner doors": lambda gate: gate.forged(aud=next(iter(gate.server.names.inner.audiences))),
    "bound to a key that is not shown": lambda gate: gate.forged(cnf={"jkt": "a" * 43}),
    "bound to a certificate that is not shown": lambda gate: gate.forged(cnf={"x5t#S256": "a" * 43}),
    "bound in a way nobody knows": lambda gate: gate.forged(cnf={"kid": "a"}),
    "of a closed client": lambda gate: _closed(gate),
}


def _closed(gate: Entrance) -> str:
    gate.server.trust.closed["closed"] = None
    return gate.forged(client_id="closed", sub="closed")


def _now(gate: Entrance) -> int:
    return int(gate.clock.now().timestamp())


@EACH
async def test_who_has_every_scope_gets_through(gate: Entrance, promise: Promise) -> None:
    answer = await gate.ask(promise)

    assert answer.status == 200, answer.body


@EACH
async def test_the_scopes_of_the_contract_are_enough(gate: Entrance, promise: Promise) -> None:
    answer = await gate.ask(promise, token=gate.token(promise.scopes))

    assert answer.status == 200, answer.body


@EACH
async def test_without_a_token_the_answer_says_how_to_get_one(gate: Entrance, promise: Promise) -> None:
    before = gate.behind.reached

    answer = await gate.ask(promise, token=None)

    refused(answer, 401, promise)
    challenge = answer.headers["www-authenticate"]
    assert challenge.startswith("Bearer resource_metadata=")
    assert "error=" not in challenge  # RFC 6750 section 3.1: who sent no token learns no error code
    assert gate.behind.reached == before


@pytest.mark.parametrize("flaw", BAD_TOKENS)
@EACH
async def test_a_token_that_proves_nothing_is_refused(gate: Entrance, promise: Promise, flaw: str) -> None:
    before = gate.behind.reached

    answer = await gate.ask(promise, token=BAD_TOKENS[flaw](gate))

    refused(answer, 401, promise)
    scheme, _, said = answer.headers["www-authenticate"].partition(" ")
    assert scheme == ("DPoP" if "key that" in flaw else "Bearer")
    assert said.startswith('error="invalid_token"')
    assert gate.behind.reached == before


@pytest.mark.parametrize("credentials", ["Basic Y29udHJhY3Q6dGVzdHM=", "Bearer", "token abc", "DPoP abc"])
@EACH
async def test_another_scheme_is_no_token(gate: Entrance, promise: Promise, credentials: str) -> None:
    answer = await gate.ask(promise, token=None, authorization=credentials)

    refused(answer, 401, promise)
    assert answer.headers["www-authenticate"].startswith("Bearer ")


@pytest.mark.parametrize(
    ("promise", "missing"),
    [(promise, scope) for promise in PROMISES for scope in promise.scopes],
    ids=lambda value: value.id if isinstance(value, Promise) else value,
)
async def test_every_scope_but_the_one_is_not_enough(gate: Entrance, promise: Promise, missing: str) -> None:
    before = gate.behind.reached

    answer = await gate.ask(promise, token=gate.token([scope for scope in scopes() if scope != missing]))

    problem = refused(answer, 403, promise)
    assert problem["missing_scopes"] == [missing]
    assert answer.headers["www-authenticate"] == f'Bearer error="insufficient_scope", scope="{missing}"'
    assert gate.behind.reached == before


@EACH
async def test_a_scope_that_only_looks_alike_is_not_enough(gate: Entrance, promise: Promise) -> None:
    alike = [f"{scope}s" for scope in promise.scopes] + [scope.upper() for scope in promise.scopes]

    answer = await gate.ask(promise, token=gate.token(alike))

    refused(answer, 403, promise)


@EACH
async def test_the_contract_promises_the_refusals(promise: Promise) -> None:
    challenged = {status for status in (401, 403) if "WWW-Authenticate" in (promise.answer(status) or {}).get("headers", {})}

    assert challenged == {401, 403}
    assert promise.scopes  # nothing is public by accident; a public operation is added here by name
