"""What a contract does not describe is refused at the door, as a problem that says what is wrong and where."""

import json
from copy import deepcopy
from typing import Any

import pytest

from tests.contract_tests.contract_files import Promise, objects, promises
from tests.contract_tests.door import Entrance, refused

pytestmark = pytest.mark.asyncio(loop_scope="module")
PROMISES = promises()
WITH_BODY = [promise for promise in PROMISES if promise.takes_body]
EACH = pytest.mark.parametrize("promise", PROMISES, ids=lambda promise: promise.id)
EACH_BODY = pytest.mark.parametrize("promise", WITH_BODY, ids=lambda promise: promise.id)
EACH_KEYED = pytest.mark.parametrize("promise", [p for p in PROMISES if p.keyed], ids=lambda promise: promise.id)
MOST = 65_536  # bytes a body may have that no contract speaks of


def _inside(body: Any, at: tuple[str | int, ...], member: str) -> tuple[Any, str]:
    """The body with one member more in the object at `at`, and the JSON pointer of that object."""
    changed = deepcopy(body)
    place = changed
    for step in at:
        place = place[step]
    place[member] = "?"
    return changed, "".join(f"/{step}" for step in at)


@EACH_KEYED
async def test_what_must_not_be_done_twice_is_not_done_without_a_key(gate: Entrance, promise: Promise) -> None:
    answer = await gate.ask(promise, idempotency_key="")

    problem = refused(answer, 400, promise)
    assert problem["field"] == "Idempotency-Key"
    assert "UUID" in problem["fix"]


@pytest.mark.parametrize("key", ["short", "k" * 256, "key with blanks", "-begins-badly", "schl\u00fcssel-0001", ""])
@EACH_KEYED
async def test_a_key_that_breaks_the_contract_is_refused(gate: Entrance, promise: Promise, key: str) -> None:
    before = gate.behind.reached

    answer = await gate.ask(promise, idempotency_key=key)

    assert answer.status in (400, 422), answer.body
    refused(answer, answer.status, promise)
    assert gate.behind.reached == before


@EACH_KEYED
async def test_a_key_may_stand_in_quotes(gate: Entrance, promise: Promise) -> None:
    assert (await gate.ask(promise, idempotency_key='"8e03978e-40d5-43e8-bc93-6894a57f9324"')).status == 200


@EACH
async def test_every_create_asks_for_a_key(promise: Promise) -> None:
    creates = "201" in promise.said["responses"]
    declared = [parameter for parameter in promise.parameters("header") if parameter["name"] == "Idempotency-Key"]

    assert promise.keyed or not creates
    assert bool(declared) == promise.keyed
    assert all(parameter["required"] for parameter in declared)


@pytest.mark.parametrize(
    "media",
    [
        "text/plain",
        "application/xml",
        "application/x-www-form-urlencoded",
        "application/jsonp",
        "application/json;charset=utf-16",
    ],
)
@EACH_BODY
async def test_a_body_of_another_kind_is_refused(gate: Entrance, promise: Promise, media: str) -> None:
    refused(await gate.ask(promise, content_type=media), 415, promise)


@EACH_BODY
async def test_a_body_of_no_kind_or_in_disguise_is_refused(gate: Entrance, promise: Promise) -> None:
    refused(await gate.ask(promise, content_type=""), 415, promise)
    refused(await gate.ask(promise, content_encoding="gzip"), 415, promise)


@EACH
async def test_a_body_that_announces_too_much_is_refused_unread(gate: Entrance, promise: Promise) -> None:
    largest = promise.said.get("x-trivium-max-body", MOST)

    answer = await gate.ask(promise, b"{}", content_length=str(largest + 1))

    refused(answer, 413, promise)
    assert answer.headers["connection"] == "close"


@EACH_BODY
async def test_a_body_of_unknown_length_is_counted(gate: Entrance, promise: Promise) -> None:
    largest = promise.said["x-trivium-max-body"]
    fits = json.dumps(promise.body).encode().ljust(largest)
    headers = {"transfer_encoding": "chunked"}

    assert (await gate.ask(promise, fits[:-10], fits[-10:], **headers)).status == 200
    refused(await gate.ask(promise, fits, b" ", **headers), 413, promise)


@pytest.mark.parametrize(
    "body", [b"{", b'{"a": 1,}', b"{'a': 1}", b"\xff\xfe", b'{"a": NaN}', b'{"a": 1, "a": 2}', b'"\\ud800"', b"[" * 30_000]
)  # fmt: skip
@EACH_BODY
async def test_a_body_that_is_not_json_is_refused(gate: Entrance, promise: Promise, body: bytes) -> None:
    refused(await gate.ask(promise, body), 400, promise)


@pytest.mark.parametrize("body", [b"", b"null", b"[]", b'"text"', b"1"])
@EACH_BODY
async def test_a_body_that_is_no_object_is_refused(gate: Entrance, promise: Promise, body: bytes) -> None:
    refused(await gate.ask(promise, body), 422, promise)


@pytest.mark.parametrize(
    ("promise", "at"),
    [(promise, at) for promise in WITH_BODY for at in objects(promise.body_schema, promise.document)],
    ids=lambda value: value.id if isinstance(value, Promise) else "/".join(map(str, value)) or "whole",
)
async def test_an_unknown_member_is_refused_wherever_it_stands(
    gate: Entrance, promise: Promise, at: tuple[str | int, ...]
) -> None:
    body, pointer = _inside(promise.body, at, "unknown_member")

    problem = refused(await gate.ask(promise, json.dumps(body).encode()), 422, promise)

    assert [error["in"] for error in problem["errors"]] == ["body"]
    assert problem["errors"][0]["pointer"].startswith(pointer)


@pytest.mark.parametrize(
    ("promise", "member"),
    [(promise, member) for promise in WITH_BODY for member in promise.body],
    ids=lambda value: value.id if isinstance(value, Promise) else value,
)
async def test_a_missing_member_is_refused(gate: Entrance, promise: Promise, member: str) -> None:
    body = {name: value for name, value in promise.body.items() if name != member}

    problem = refused(await gate.ask(promise, json.dumps(body).encode()), 422, promise)

    assert member in json.dumps(problem["errors"])


@EACH
async def test_an_unknown_query_parameter_is_refused(gate: Entrance, promise: Promise) -> None:
    joint = "&" if "?" in promise.target else "?"

    problem = refused(await gate.ask(promise, target=f"{promise.target}{joint}unknown=1"), 422, promise)

    assert problem["errors"][0]["in"] == "query"


@pytest.mark.parametrize(
    ("promise", "name"),
    [(promise, said["name"]) for promise in PROMISES for said in promise.parameters("query") if said.get("required")],
    ids=lambda value: value.id if isinstance(value, Promise) else value,
)
async def test_a_missing_query_parameter_is_refused(gate: Entrance, promise: Promise, name: str) -> None:
    path, _, query = promise.target.partition("?")
    rest = "&".join(part for part in query.split("&") if not part.startswith(f"{name}="))

    problem = refused(await gate.ask(promise, target=f"{path}?{rest}"), 422, promise)

    assert problem["errors"] == [{"in": "query", "pointer": f"/{name}", "detail": "it is required"}]


@pytest.mark.parametrize(
    ("promise", "name"),
    [(promise, parameter["name"]) for promise in PROMISES for parameter in promise.parameters("path")],
    ids=lambda value: value.id if isinstance(value, Promise) else value,
)
async def test_a_path_parameter_that_breaks_the_contract_is_refused(gate: Entrance, promise: Promise, name: str) -> None:
    template = promise.path.replace(f"{{{name}}}", "%C3%BC")
    target = template.format_map({p["name"]: "sample" for p in promise.parameters("path")})
    query = promise.target.partition("?")[2]

    problem = refused(await gate.ask(promise, target=f"{target}?{query}" if query else target), 422, promise)

    assert (problem["errors"][0]["in"], problem["errors"][0]["pointer"]) == ("path", f"/{name}")


@pytest.mark.parametrize("promise", [promise for promise in PROMISES if not promise.takes_body], ids=lambda promise: promise.id)
async def test_a_body_that_nobody_asked_for_is_refused(gate: Entrance, promise: Promise) -> None:
    answer = await gate.ask(promise, b"{}", content_type="application/json")

    assert answer.status in (400, 413), answer.body
    refused(answer, answer.status, promise)


@EACH
async def test_the_contract_promises_what_the_door_refuses(promise: Promise) -> None:
    needed = {400, 401, 403, 413, 422, 429, 500, 502, 503, 504}
    needed |= {404} if "{" in promise.path else set()
    needed |= {415} if promise.takes_body else set()
    needed |= {409} if promise.keyed else set()
    promised = {int(status) for status in promise.said["responses"]}

    assert needed <= promised
    for status in needed:
        assert list((promise.answer(status) or {})["content"]) == ["application/problem+json"]
