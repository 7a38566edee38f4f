"""A token may do what its scopes say, and nothing else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.pipeline import Call, Caller, Operation
from gateway.policies.scopes import require_scopes
from kernel.problem import Forbidden

names = st.frozensets(st.sampled_from(["quotes:read", "quotes:write", "orders:read", "orders:write"]))


def operation(scopes: frozenset[str]) -> Operation:
    return Operation(
        id="submit_order", api="process/orders", version="1.0.0", layer="process", method="POST", path="/o", scopes=scopes,
        public=False, limits={}, idempotency="none", timeout=1, max_body=1, audience="internal", path_parameters={},
        query_parameters={}, required_query=frozenset(), header_parameters={}, required_headers=frozenset(), body_schema=None,
        body_required=False, body_media=(),
    )  # fmt: skip


def call(needed: frozenset[str], held: frozenset[str]) -> Call:
    async def nothing(*_: object) -> None:
        raise AssertionError("not used")

    return Call({"type": "http", "headers": []}, nothing, nothing, operation(needed), {}, "c", caller=Caller("c", "s", held))


async def pass_through(needed: frozenset[str], held: frozenset[str]) -> bool:
    passed: list[Call] = []

    async def forward(call: Call) -> None:
        passed.append(call)

    policy = require_scopes(operation(needed))
    if policy is None:
        return True
    await policy(call(needed, held), forward)
    return len(passed) == 1


@given(needed=names, held=names)
async def test_a_call_passes_exactly_when_every_needed_scope_is_held(needed, held) -> None:
    try:
        passed = await pass_through(needed, held)
    except Forbidden:
        passed = False

    assert passed == (needed <= held)


async def test_a_refusal_names_what_is_missing() -> None:
    with pytest.raises(Forbidden) as refusal:
        await pass_through(frozenset({"orders:write", "quotes:read"}), frozenset({"quotes:read"}))

    assert refusal.value.more["missing_scopes"] == ["orders:write"]
    assert refusal.value.headers["WWW-Authenticate"] == 'Bearer error="insufficient_scope", scope="orders:write"'


def test_an_operation_without_scopes_has_no_such_policy() -> None:
    assert require_scopes(operation(frozenset())) is None
