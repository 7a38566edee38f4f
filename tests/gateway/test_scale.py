"""Ten thousand operations start as one does: nothing is compiled that nobody asks for, and no path is searched for."""

import gc
import sys
from statistics import median
from time import process_time
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from benchmarks.estate import NAMES, OPERATIONS, text, texts
from gateway.configuration.check import offline
from gateway.contracts import BadContract, load_texts
from gateway.dispatch import Dispatch
from gateway.door import Door
from gateway.observe import AccessLog, Metrics
from gateway.pipeline import Call, Caller, Forward, Operation, Policy
from gateway.policies.trace import Observation
from gateway.policies.validation import validate_request
from gateway.routes import Router
from kernel.settings import Settings
from tests.gateway.conftest import FakeClock, ask

CALLS = 2_000
MANY, FEW = 20, 1  # contracts


class Counting(dict[str, Any]):
    """A node's branches, counting how often one is looked up."""

    looked_up = 0

    def get(self, key: str, default: Any = None) -> Any:
        Counting.looked_up += 1
        return super().get(key, default)


async def _nowhere(call: Call) -> None:
    raise AssertionError


def _router(contracts: int) -> Router:
    return Router((operation, _nowhere) for operation in load_texts(dict(texts(contracts))))


def _counted(router: Router) -> Router:
    waiting = [router._root]
    while waiting:
        node = waiting.pop()
        waiting += [*node.plain.values(), *([node.parameter] if node.parameter else [])]
        node.plain = Counting(node.plain)
    return router


def _look_ups(contracts: int) -> int:
    router, Counting.looked_up = _counted(_router(contracts)), 0
    assert router.find(["process", "estate-000", "v1", "orders", "o-1"]) is not None
    return Counting.looked_up


def _seconds(router: Router) -> float:
    begun = process_time()
    for _ in range(CALLS):
        router.find(["process", "estate-000", "v1", "orders", "o-1"])
    return process_time() - begun


def test_an_estate_is_what_it_says() -> None:
    operations = load_texts(dict(texts(3)))

    assert len(operations) == 3 * OPERATIONS == 15 * len(NAMES)
    assert len({operation.id for operation in operations}) == len(operations)


def test_a_path_is_found_in_as_many_steps_however_many_there_are() -> None:
    assert _look_ups(MANY) == _look_ups(FEW) == 5


def test_a_path_is_found_as_fast_among_a_thousand_operations_as_among_fifty() -> None:
    few, many = _router(FEW), _router(MANY)
    ratios = [_seconds(many) / _seconds(few) for _ in range(9)]

    assert median(ratios) < 3  # a search would take twenty times as long


def test_what_is_known_to_be_usable_is_not_compiled_at_the_start() -> None:
    (document,) = {operation.document for operation in load_texts(dict(texts(1)))}

    assert document is not None
    assert document.sound


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("pattern: ^[A-Z]{3}$", "pattern: '['"),
        ("type: integer\n          description: How many", "type: whole\n          description: How many"),
        ("maximum: 100\n", "maximum: most\n"),
    ],
)
def test_a_schema_that_cannot_be_used_is_still_found_at_the_start(right: str, wrong: str) -> None:
    contract = text("000")
    assert right in contract
    operations = load_texts({"estate.yaml": contract.replace(right, wrong)})

    with pytest.raises(BadContract, match="a schema cannot be used"):
        list(map(validate_request, operations))


class Willing:
    """Answers everything at once."""

    def forward(self, _: Operation) -> Forward:
        async def answer(call: Call) -> None:
            await call.send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/json")]})
            await call.send({"type": "http.response.body", "body": b'{"items":[]}'})

        return answer


def _believing(_: Operation) -> Policy:
    async def policy(call: Call, forward: Forward) -> None:
        call.caller = Caller("tvc_scale", "tvc_scale", frozenset({"estate-000:read"}))
        await forward(call)

    return policy


def _held() -> tuple[int, int]:
    gc.collect()
    return len(gc.get_objects()), sys.getallocatedblocks()


async def test_twenty_thousand_calls_leave_nothing_behind(clock: FakeClock) -> None:
    observation = Observation(Metrics(CollectorRegistry()), AccessLog(lambda _: None, cap=100))
    operations = load_texts({"estate.yaml": text("000").replace("quota: 600", "quota: 100000000")})
    chain = offline(observation, _believing, Settings.model_construct(), clock)
    door = Door(operations, policies=chain, dispatch=Dispatch({"process/estate-000": Willing()}))

    async def calls(times: int) -> set[int]:
        targets = [f"/process/estate-000/v1/{name}s{query}" for name in NAMES for query in ("", "?limit=7", "?limit=no")]
        return {(await ask(door, "GET", targets[number % len(targets)])).status for number in range(times)}

    assert await calls(2_000) == {200, 422}
    objects, blocks = _held()
    await calls(20_000)
    more_objects, more_blocks = _held()

    assert more_objects - objects < 2_000  # a tenth of an object a call
    assert more_blocks - blocks < 10_000
