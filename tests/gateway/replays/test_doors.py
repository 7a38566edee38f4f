"""Several doors on one database: whatever is asked at once, each key has one effect, and its one answer."""

import asyncio
from collections import Counter
from collections.abc import Callable
from typing import Any
from uuid import uuid4

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.types import Receive, Scope, Send

from gateway.dispatch import InProcess
from gateway.replays.store import Replays

ASKING = st.tuples(st.integers(0, 1), st.sampled_from("ab"), st.sampled_from("xxxy"), st.integers(0, 3))


class Orders:
    """Makes an order at each call, with no memory of keys; takes its time over it."""

    def __init__(self) -> None:
        self.made: Counter[str] = Counter()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        key = dict(scope["headers"])[b"idempotency-key"].decode()
        self.made[key] += 1
        content = f"{key} {uuid4()} {(await receive())['body'].decode()}".encode()
        for _ in range(3):
            await asyncio.sleep(0)
        headers = [(b"content-type", b"text/plain"), (b"content-length", str(len(content)).encode())]
        await send({"type": "http.response.start", "status": 201, "headers": headers})
        await send({"type": "http.response.body", "body": content})


def _plenty(document: Any) -> None:
    post = document["paths"]["/process/orders/v1/orders"]["post"]
    post["x-trivium-limits"] = {"default": [{"policy": "burst", "quota": 1_000_000, "window": 60}]}


@given(asked=st.lists(ASKING, min_size=2, max_size=12))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_each_key_has_one_effect_and_one_answer(
    build: Callable[..., Any],
    contract: Callable[..., str],
    opening: Callable[..., Replays],
    asked: list[tuple[int, str, str, int]],
) -> None:
    orders, run = Orders(), uuid4().hex[:8]
    keeping = [opening(), opening()]
    doors = [build(contract(_plenty), targets={"process/orders": InProcess(orders)}, means={"replays": one}) for one in keeping]

    async def ask(door: int, key: str, body: str, later: int = 0) -> Any:
        for _ in range(later):
            await asyncio.sleep(0)
        return await doors[door].submit({"quote": body}, **{"idempotency-key": f"{run}-{key}"})

    answers = await asyncio.gather(*(ask(*one) for one in asked))
    again = [await ask(1 - door, key, body) for door, key, body, _ in asked]
    for one in keeping:
        await one.close()

    assert set(orders.made.values()) == {1}
    assert {answer.status for answer in answers} <= {201, 409, 422}
    for key in {key for _, key, _, _ in asked}:
        given_ = [a for a, one in zip((*answers, *again), asked * 2, strict=True) if one[1] == key and a.status == 201]
        assert len({answer.body for answer in given_}) == 1
        assert sum("idempotency-replayed" not in answer.headers for answer in given_) == 1
    for answer, (_, _, body, _) in zip(again, asked, strict=True):
        assert answer.status in (201, 422)
        assert answer.status == 422 or answer.body.endswith(f'{{"quote": "{body}"}}'.encode())
