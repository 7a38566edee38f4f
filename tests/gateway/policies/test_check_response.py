"""An answer that breaks its contract is noticed, and where the contract says so kept back; nobody is told what was in it."""

import json
from collections.abc import Callable
from typing import Any

import pytest
import structlog
from prometheus_client import CollectorRegistry
from starlette.types import Message

from gateway.broken_promises import BrokenPromises
from gateway.contracts import BadContract
from gateway.pipeline import Call
from gateway.policies.check_response import check_response
from kernel.problem import Conflict, NotFound
from kernel.sections.door import Door
from kernel.settings import Settings

ORDER = "/process/orders/v1/orders/o1"
ID = "process.orders.v1.get_order"
SCHEMA = {
    "type": "object",
    "required": ["id"],
    "properties": {"id": {"type": "string", "maxLength": 5}, "total": {"type": "number"}},
}
RESPONSES = {
    "200": {
        "description": "-",
        "headers": {
            "X-Page": {"required": True, "schema": {"type": "integer"}},
            "X-Correlation-Id": {"required": True, "schema": {"type": "string"}},
        },
        "content": {"application/json": {"schema": SCHEMA}, "text/csv": {}},
    },
    "204": {"description": "-"},
    "4XX": {"description": "-", "content": {"application/problem+json": {}}},
}
GOOD = b'{"id": "o1", "total": 1}'
PAGE = [(b"x-page", b"1")]


def _answering(body: bytes = GOOD, status: int = 200, media: bytes = b"application/json", headers: Any = None) -> Any:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        head = [(b"content-type", media)] if media else []
        await send({"type": "http.response.start", "status": status, "headers": [*head, *(PAGE if headers is None else headers)]})
        await send({"type": "http.response.body", "body": body})

    return app


class Watched:
    """A door that checks its answers."""

    def __init__(self, house: Any, registry: CollectorRegistry) -> None:
        self.house, self._registry = house, registry

    async def ask(self, app: Any = None, method: str = "GET") -> Any:
        self.house.echo.instead = app or _answering()
        return await self.house.ask(method, ORDER)

    def _count(self, name: str) -> float:
        return self._registry.get_sample_value(name, {"operation": ID}) or 0

    @property
    def checked(self) -> float:
        return self._count("trivium_answers_checked_total")

    @property
    def broken(self) -> float:
        return self._count("trivium_broken_promises_total")


@pytest.fixture
def watched(build: Callable[..., Any], contract: Callable[..., str], clock: Any) -> Callable[..., Watched]:
    def make(mode: str = "enforce", *, share: float = 1.0, override: str = "", responses: Any = RESPONSES) -> Watched:
        def promise(document: Any) -> None:
            said = document["paths"]["/process/orders/v1/orders/{order_id}"]["get"]
            said["responses"] = responses
            if override:
                said["x-trivium-response-validation"] = override

        registry = CollectorRegistry()
        door = Door(response_validation=mode, response_sample=share)  # type: ignore[arg-type]  # pydantic checks it
        means = {"promises": BrokenPromises(registry, clock), "settings": Settings.model_construct(door=door)}
        return Watched(build(contract(promise), means=means), registry)

    return make


BROKEN = {
    "a missing member": _answering(b'{"total": 1}'),
    "a value out of bounds": _answering(b'{"id": "SECRET-TOO-LONG"}'),
    "a wrong type": _answering(b'{"id": "o1", "total": "SECRET"}'),
    "no JSON": _answering(b'{"id": "SECRET'),
    "a member twice": _answering(b'{"id": "o1", "id": "o2"}'),
    "a status nobody promised": _answering(b"{}", status=202),
    "a media type nobody promised": _answering(b"<p>SECRET</p>", media=b"text/html"),
    "no body": _answering(b""),
    "a body where none is promised": _answering(b'"SECRET"', status=204),
    "a missing header": _answering(headers=[]),
    "a header of the wrong type": _answering(headers=[(b"x-page", b"SECRET")]),
}
FINE = {
    "as promised": _answering(),
    "another media type": _answering(b"id\no1", media=b"text/csv; charset=utf-8"),
    "nothing": _answering(b"", status=204, media=b""),
    "an error of the family": _answering(b'{"type": "x"}', status=409, media=b"application/problem+json"),
}


@pytest.mark.parametrize("name", BROKEN)
async def test_what_breaks_the_contract_does_not_go_out(watched: Callable[..., Watched], name: str) -> None:
    door = watched()
    answer = await door.ask(BROKEN[name])

    assert (answer.status, answer.headers["content-type"]) == (502, "application/problem+json")
    assert answer.json()["type"] == "urn:trivium:problem:broken-promise"
    assert answer.json()["errors"]
    assert "SECRET" not in answer.body.decode()
    assert (door.checked, door.broken) == (1, 1)


@pytest.mark.parametrize("name", FINE)
async def test_what_keeps_it_goes_out_as_it_is(watched: Callable[..., Watched], name: str) -> None:
    enforced, plain = watched(), watched("off")
    one, other = await enforced.ask(FINE[name]), await plain.ask(FINE[name])

    assert (one.status, one.body, one.headers["content-type"] if one.body else "") == (
        other.status, other.body, other.headers["content-type"] if other.body else "",
    )  # fmt: skip
    assert (enforced.checked, enforced.broken, plain.checked) == (1, 0, 0)


@pytest.mark.parametrize("name", [*BROKEN, *FINE])
async def test_a_sampled_answer_is_never_changed(watched: Callable[..., Watched], name: str) -> None:
    app = {**BROKEN, **FINE}[name]
    sampled = watched("sample")
    one, other = await sampled.ask(app), await watched("off").ask(app)

    assert (one.status, one.body) == (other.status, other.body)
    assert (sampled.checked, sampled.broken) == (1, 1 if name in BROKEN else 0)


async def test_head_has_no_body_to_judge(watched: Callable[..., Watched]) -> None:
    door = watched()

    assert ((await door.ask(method="HEAD")).status, door.broken) == (200, 0)


@pytest.mark.parametrize(("problem", "status"), [(NotFound("no"), 404), (Conflict("no"), 409)])
async def test_a_refusal_of_ours_is_judged_by_its_status(watched: Callable[..., Watched], problem: Any, status: int) -> None:
    async def refusing(scope: Any, receive: Any, send: Any) -> None:
        raise problem

    promised = watched()
    strict = watched(responses={"200": RESPONSES["200"]})

    assert (await promised.ask(refusing)).status == status
    assert (await strict.ask(refusing)).status == 502
    assert strict.broken == 1


async def test_what_broke_is_always_told_as_such(watched: Callable[..., Watched]) -> None:
    async def broken(scope: Any, receive: Any, send: Any) -> None:
        raise RuntimeError("SECRET")

    answer = await watched().ask(broken)

    assert answer.status == 500


async def test_a_contract_says_otherwise_for_an_operation(watched: Callable[..., Watched]) -> None:
    kept, given = watched("off", override="enforce"), watched("enforce", override="off")

    assert (await kept.ask(_answering(b"{}"))).status == 502
    assert (await given.ask(_answering(b"{}"))).status == 200
    with pytest.raises(BadContract, match="x-trivium-response-validation is one of off, sample, enforce"):
        watched(override="strict")


async def test_a_share_is_looked_at(watched: Callable[..., Watched], operation: Callable[..., Any], clock: Any) -> None:
    never = watched("sample", share=0.0)
    await never.ask(_answering(b"{}"))
    thrown = iter([0.005, 0.5, 0.011, 0.009])
    registry = CollectorRegistry()
    policy = check_response(BrokenPromises(registry, clock), Door(), lambda: next(thrown))(operation(said={"responses": {}}))
    assert policy is not None
    for _ in range(4):
        call = Call({"type": "http", "method": "GET", "headers": []}, _silent, _deaf, operation(), {}, "")
        await policy(call, _answered)

    assert never.checked == 0
    assert registry.get_sample_value("trivium_answers_checked_total", {"operation": "get_order"}) == 2


async def _answered(call: Call) -> None:
    await _answering()(call.scope, call.receive, call.send)


async def _silent() -> Message:
    raise AssertionError("nothing is read")


async def _deaf(message: Message) -> None:
    return None


async def test_the_log_names_the_place_once_a_minute_and_no_value(watched: Callable[..., Watched], clock: Any) -> None:
    door = watched("sample")
    with structlog.testing.capture_logs() as logs:
        for _ in range(3):
            await door.ask(BROKEN["a wrong type"])
        clock.pass_seconds(61)
        await door.ask(BROKEN["a wrong type"])

    told = [line for line in logs if line["event"] == "an answer breaks its contract"]
    assert len(told) == 2
    assert told[0]["operation"] == ID
    assert told[0]["found"] == ["body: /properties/total/type"]
    assert "SECRET" not in json.dumps(logs)
    assert door.broken == 4


async def test_a_stream_or_a_large_answer_is_judged_by_its_head(watched: Callable[..., Watched]) -> None:
    door = watched()
    large = b'{"note": "' + b"n" * 2_000_000 + b'"}'
    answer = await door.ask(_answering(large))

    assert (answer.status, answer.body) == (200, large)
    assert door.broken == 0
