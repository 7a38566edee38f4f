"""In this process: the application's answer is passed on, its framework's errors become problems, and it answers in time."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI, HTTPException, Request
from fastapi.responses import PlainTextResponse, StreamingResponse

from gateway.dispatch import InProcess
from gateway.limits.limiter import Limiter
from tests.gateway.conftest import CONTRACT, Echo

ORDERS = "/process/orders/v1/orders"
HELLO = "/process/orders/v1/hello"


@pytest.fixture
def api() -> FastAPI:
    app = FastAPI()

    @app.get(f"{ORDERS}/{{order_id}}")
    async def get_order(order_id: str, request: Request) -> dict[str, Any]:
        match order_id:
            case "missing":
                raise HTTPException(404, "secret detail")
            case "busy":
                raise HTTPException(503, headers={"Retry-After": "7"})
            case "teapot":
                raise HTTPException(418)
            case "crash":
                raise RuntimeError("secret detail")
        return {"order_id": order_id, "client": request.scope["trivium.caller"].client}

    return app


@pytest.fixture
def through(build: Any, api: FastAPI) -> Any:
    return build(targets={"process/orders": InProcess(api)})


async def test_a_fastapi_application_answers_through_the_door(through: Any) -> None:
    answer = await through.ask("GET", f"{ORDERS}/o1")

    assert answer.json() == {"order_id": "o1", "client": "acme"}


async def test_what_reached_the_door_as_a_body_reaches_the_endpoint(through: Any, api: FastAPI) -> None:
    @api.post(ORDERS, status_code=201)
    async def submit_order(request: Request) -> dict[str, Any]:
        return {"got": await request.json()}

    answer = await through.submit({"quote": "q"})

    assert (answer.status, answer.json()) == (201, {"got": {"quote": "q"}})


@pytest.mark.parametrize(("order", "status"), [("missing", 404), ("busy", 503), ("teapot", 418), ("crash", 500)])
async def test_errors_of_the_framework_become_problems_of_the_same_status(through: Any, order: str, status: int) -> None:
    answer = await through.ask("GET", f"{ORDERS}/{order}")

    assert answer.status == answer.json()["status"] == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["correlation_id"] == answer.headers["x-correlation-id"]
    assert "secret" not in answer.body.decode()


async def test_what_an_error_says_about_waiting_is_kept(through: Any) -> None:
    assert (await through.ask("GET", f"{ORDERS}/busy")).headers["retry-after"] == "7"


async def test_a_path_the_contract_promises_and_the_code_lacks_is_a_problem(through: Any) -> None:
    assert (await through.ask("GET", ORDERS)).json()["status"] == 404


async def test_an_application_that_takes_too_long_is_left(through: Any, api: FastAPI) -> None:
    left = asyncio.Event()

    @api.get(HELLO)
    async def say_hello() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            left.set()

    answer = await through.ask("GET", HELLO)

    assert answer.status == 504
    assert answer.json()["detail"] == "process/orders did not answer within 0.05 s"
    assert left.is_set()


async def test_a_timeout_of_the_application_s_own_is_not_taken_for_ours(through: Any, api: FastAPI) -> None:
    @api.get(HELLO)
    async def say_hello() -> None:
        raise TimeoutError

    assert (await through.ask("GET", HELLO)).status == 500


async def test_an_answer_that_has_begun_may_go_on_past_the_deadline(through: Any, api: FastAPI) -> None:
    @api.get(HELLO)
    async def say_hello() -> StreamingResponse:
        async def slowly() -> Any:
            for part in (b"a", b"b", b"c"):
                await asyncio.wait([asyncio.get_running_loop().create_future()], timeout=0.03)
                yield part

        return StreamingResponse(slowly(), media_type="text/plain")

    answer = await through.ask("GET", HELLO)

    assert (answer.status, answer.body) == (200, b"abc")


async def test_a_cancelled_call_stays_cancelled(build: Any) -> None:
    started = asyncio.Event()

    async def waiting(scope: Any, receive: Any, send: Any) -> None:
        started.set()
        await asyncio.Event().wait()

    house = build(targets={"process/orders": InProcess(waiting)}, limiter=Limiter())
    task = asyncio.create_task(house.ask("GET", f"{ORDERS}/o1"))
    await started.wait()
    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_problem_of_the_application_passes_as_it_is(through: Any, api: FastAPI) -> None:
    @api.get(HELLO)
    async def say_hello() -> PlainTextResponse:
        return PlainTextResponse('{"type":"urn:x","own":1}', 409, media_type="application/problem+json")

    answer = await through.ask("GET", HELLO)

    assert (answer.status, answer.json()) == (409, {"type": "urn:x", "own": 1})


async def test_two_majors_of_one_api_are_served_by_two_applications(build: Any, tmp_path: Path) -> None:
    second = CONTRACT.replace("orders/v1/", "orders/v2/").replace("version: 1.2.0", "version: 2.0.0")
    (tmp_path / "v2.yaml").write_text(second, encoding="utf-8")
    one, two = Echo(), Echo()
    house = build(targets={"process/orders": InProcess(one), "process/orders/v2": InProcess(two)})
    for path in (f"{ORDERS}/o1", "/process/orders/v2/orders/o2"):
        await house.ask("GET", path)

    assert [scope["path"] for scope in one.scopes] == [f"{ORDERS}/o1"]
    assert [scope["path"] for scope in two.scopes] == ["/process/orders/v2/orders/o2"]
