"""Whatever a contract allows fits through the door: its limits of size agree with its schemas."""

import json

import pytest

from tests.contract_tests.contract_files import Promise, largest, promises
from tests.contract_tests.door import Entrance

pytestmark = pytest.mark.asyncio(loop_scope="module")
PROMISES = promises()


@pytest.mark.parametrize("promise", [p for p in PROMISES if p.takes_body], ids=lambda promise: promise.id)
async def test_the_largest_body_is_read(gate: Entrance, promise: Promise) -> None:
    body = json.dumps(largest(promise.body_schema, promise.document)).encode()

    answer = await gate.ask(promise, body)

    assert answer.status == 200, (len(body), answer.body[:500])


@pytest.mark.parametrize("promise", [p for p in PROMISES if p.parameters("query")], ids=lambda promise: promise.id)
async def test_the_longest_query_is_read(gate: Entrance, promise: Promise) -> None:
    answer = await gate.ask(promise, target=promise.largest_target)

    assert answer.status == 200, answer.body[:500]
