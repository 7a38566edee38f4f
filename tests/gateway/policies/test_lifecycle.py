"""Callers of a version that goes are told in every answer; a version that is gone answers that, before anything else is asked."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from gateway.contracts import BadContract
from gateway.pipeline import Factory, Operation, Policy
from kernel.problem import Unauthorized
from tests.gateway.conftest import CONTRACT

ORDERS, ORDERS_2 = "/process/orders/v1/orders", "/process/orders/v2/orders"
GOING = {
    "stage": "deprecated", "deprecated": "2026-02-01", "sunset": "2026-03-02", "successor": "/process/orders/v2",
    "documentation": "https://docs.example.com/v1",
}  # fmt: skip
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


@pytest.fixture
def living(build: Callable[..., Any], contract: Callable[..., str], clock: Any) -> Callable[..., Any]:
    def make(lifecycle: Any, **more: Any) -> Any:
        text = contract(lambda document: document["info"].update({"x-trivium-lifecycle": lifecycle}))
        return build(text, means={"clock": clock}, **more)

    return make


async def test_a_version_that_goes_says_when_and_what_follows(living: Callable[..., Any]) -> None:
    answer = await living(GOING).ask("GET", ORDERS)

    assert answer.status == 200
    assert answer.headers["deprecation"] == f"@{int(datetime(2026, 2, 1, tzinfo=UTC).timestamp())}"
    assert answer.headers["sunset"] == "Mon, 02 Mar 2026 00:00:00 GMT"
    assert answer.headers["link"] == (
        '</process/orders/v2>; rel="successor-version", <https://docs.example.com/v1>; rel="deprecation"; type="text/html", '
        '<https://docs.example.com/v1>; rel="sunset"; type="text/html"'
    )


async def test_refusals_say_it_too(living: Callable[..., Any]) -> None:
    answer = await living(GOING).ask("GET", f"{ORDERS}?limit=x")

    assert answer.status == 422
    assert "deprecation" in answer.headers


async def test_a_version_in_its_prime_says_nothing(living: Callable[..., Any]) -> None:
    answer = await living({"stage": "published"}).ask("GET", ORDERS)

    assert not {"deprecation", "sunset", "link"} & answer.headers.keys()


def _nobody(operation: Operation) -> Policy:
    async def policy(call: Any, forward: Any) -> None:
        raise Unauthorized("this needs a token")

    return policy


@pytest.mark.parametrize("method", METHODS)
async def test_a_retired_version_names_its_successor_to_everybody_by_every_method(
    living: Callable[..., Any], method: str
) -> None:
    stranger: Factory = _nobody
    house = living({"stage": "retired", "successor": "/process/orders/v2"}, authenticate=stranger)
    answer = await house.ask(method, ORDERS)

    assert answer.status == 410
    assert answer.headers["link"] == '</process/orders/v2>; rel="successor-version"'
    if method != "HEAD":
        assert answer.json()["successor"] == "/process/orders/v2"
        assert answer.json()["type"] == "urn:trivium:problem:gone"
    assert house.echo.scopes == []


async def test_a_version_is_gone_from_the_moment_of_its_sunset_on(living: Callable[..., Any], clock: Any) -> None:
    house = living(GOING)
    before = await house.ask("GET", ORDERS)
    clock.pass_seconds(12 * 3600)
    after = {method: (await house.ask(method, ORDERS)).status for method in METHODS}

    assert before.status == 200
    assert after == dict.fromkeys(METHODS, 410)
    assert (await house.ask("GET", ORDERS)).headers["sunset"] == before.headers["sunset"]


async def test_two_majors_stand_side_by_side_and_one_of_them_goes(living: Callable[..., Any], tmp_path: Path, clock: Any) -> None:
    (tmp_path / "v2.yaml").write_text(CONTRACT.replace("orders/v1/", "orders/v2/").replace("version: 1.2.0", "version: 2.0.0"))
    house = living(GOING)
    old, new = await house.ask("GET", ORDERS), await house.ask("GET", ORDERS_2, {"accept-version": "1"})
    clock.pass_seconds(12 * 3600)
    gone, stays = await house.ask("GET", ORDERS), await house.ask("GET", ORDERS_2)

    assert (old.status, new.status, gone.status, stays.status) == (200, 200, 410, 200)
    assert "deprecation" in old.headers
    assert "deprecation" not in new.headers
    assert [scope["path"] for scope in house.echo.scopes] == [ORDERS, ORDERS_2, ORDERS_2]


async def test_an_operation_may_go_before_its_api(build: Callable[..., Any], contract: Callable[..., str], clock: Any) -> None:
    def retire(document: Any) -> None:
        document["paths"]["/process/orders/v1/hello"]["get"]["x-trivium-lifecycle"] = {"stage": "retired"}

    house = build(contract(retire), means={"clock": clock})

    assert (await house.ask("GET", "/process/orders/v1/hello")).status == 410
    assert (await house.ask("GET", ORDERS)).status == 200


def test_dates_that_contradict_each_other_fail_the_start(living: Callable[..., Any]) -> None:
    with pytest.raises(BadContract, match=r"GET /process/orders/v1/\S+: x-trivium-lifecycle: sunset is earlier"):
        living({"stage": "deprecated", "deprecated": "2026-06-01", "sunset": "2026-05-31"})
