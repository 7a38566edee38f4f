"""What no contract promises does not exist, and what a path can do it says itself."""

from collections import defaultdict

import pytest

from tests.contract_tests.contract_files import Promise, promises
from tests.contract_tests.door import CORRELATION, Entrance, refused
from tests.gateway.conftest import ask

pytestmark = pytest.mark.asyncio(loop_scope="module")
PROMISES = promises()
PLACES: dict[str, list[Promise]] = defaultdict(list)
for _promise in PROMISES:
    PLACES[_promise.path].append(_promise)
METHODS = ("GET", "HEAD", "PUT", "POST", "PATCH", "DELETE", "TRACE", "CONNECT", "QUERY", "PURGE")
HEADERS = {"x-correlation-id": CORRELATION}


def _allowed(path: str) -> set[str]:
    """RFC 9110 section 10.2.1: all of them. HEAD comes with GET, OPTIONS with every path."""
    methods = {promise.method for promise in PLACES[path]}
    return methods | ({"HEAD"} if "GET" in methods else set()) | {"OPTIONS"}


def _listed(allow: str) -> set[str]:
    return {method.strip() for method in allow.split(",")}


@pytest.mark.parametrize(
    ("path", "method"), [(path, method) for path in PLACES for method in METHODS if method not in _allowed(path)]
)
async def test_another_method_is_refused_with_those_that_there_are(gate: Entrance, path: str, method: str) -> None:
    promise = PLACES[path][0]

    answer = await ask(gate.door, method, promise.target, HEADERS)

    if method == "HEAD":  # RFC 9110 section 9.3.2: the head of a refusal, and nothing behind it
        assert (answer.status, answer.body, answer.headers["content-type"]) == (405, b"", "application/problem+json")
    else:
        refused(answer, 405, promise)
    assert _listed(answer.headers["allow"]) == _allowed(path)


@pytest.mark.parametrize("path", PLACES)
async def test_options_says_what_there_is_to_anybody(gate: Entrance, path: str) -> None:
    answer = await ask(gate.door, "OPTIONS", PLACES[path][0].target, HEADERS)

    assert (answer.status, _listed(answer.headers["allow"])) == (204, _allowed(path))


@pytest.mark.parametrize("promise", [p for p in PROMISES if p.method == "GET"], ids=lambda promise: promise.id)
async def test_head_is_get_without_the_body(gate: Entrance, promise: Promise) -> None:
    headers = {**HEADERS, "authorization": f"Bearer {gate.token(promise.scopes)}"}

    answer = await ask(gate.door, "HEAD", promise.target, headers)

    assert (answer.status, answer.body) == (200, b"")
    assert (await ask(gate.door, "HEAD", promise.target, HEADERS)).status == 401


@pytest.mark.parametrize("path", PLACES)
@pytest.mark.parametrize("change", ["{}/and/much/more", "/more{}", "{}s/and/much/more"])
async def test_a_path_that_no_contract_promises_does_not_exist(gate: Entrance, path: str, change: str) -> None:
    target = change.format(path.replace("{", "").replace("}", ""))

    answer = await ask(gate.door, "GET", target, HEADERS)

    refused(answer, 404, PLACES[path][0])


@pytest.mark.parametrize("path", PLACES)
async def test_an_empty_segment_is_refused(gate: Entrance, path: str) -> None:
    plain = PLACES[path][0].target.partition("?")[0]

    for target in (f"{plain}/", f"/{plain}", plain.replace("/v1/", "/v1//")):
        refused(await ask(gate.door, "GET", target, HEADERS), 400, PLACES[path][0])


@pytest.mark.parametrize(
    "target", ["/", "/process/orders/v2/orders", "/process/orders/v1", "/system/crm/v1/openapi.json", "/docs"]
)
async def test_what_is_not_promised_is_nowhere(gate: Entrance, target: str) -> None:
    refused(await ask(gate.door, "GET", target, HEADERS), 404, PROMISES[0])


@pytest.mark.parametrize("path", PLACES)
@pytest.mark.parametrize("trick", ["%2e%2e", "..", "a%2fb", "a%252fb", "a%00b", "a%5cb", "a;b=c"])
async def test_a_path_that_can_be_read_in_two_ways_is_not_read(gate: Entrance, path: str, trick: str) -> None:
    promise = PLACES[path][0]
    if "{" not in path:
        path = f"{path}/{{more}}"
    target = path.format_map(dict.fromkeys((part[1:-1] for part in path.split("/") if part.startswith("{")), trick))
    before = gate.behind.reached

    answer = await ask(gate.door, promise.method, target, {**HEADERS, "authorization": f"Bearer {gate.token()}"})

    assert 400 <= answer.status < 500
    refused(answer, answer.status, promise)
    assert gate.behind.reached == before
