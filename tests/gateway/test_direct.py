"""An endpoint that is called straight answers exactly as its application would, and nobody notices but the clock."""

import asyncio
from enum import StrEnum
from typing import Annotated, Any

import pytest
from fastapi import Depends, FastAPI, Header, Path, Query, Request, Response
from fastapi.routing import APIRoute
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider

from contracts.models.base import Model, Quantity
from contracts.models.money import Money
from gateway.compose import declared
from gateway.direct import Direct, compiled
from gateway.dispatch import InProcess
from kernel.api import HANDLERS, IdempotencyKey
from kernel.context import caller
from kernel.problem import Conflict

ORDERS = "/process/orders/v1/orders"
HELLO = "/process/orders/v1/hello"


class State(StrEnum):
    HELD = "held"
    RUNNING = "running"


class Line(Model):
    sku: str
    quantity: Quantity = 1


class NewOrder(Model):
    quote: str
    lines: list[Line] = []


class Order(Model):
    id: str
    said: dict[str, Any]
    total: Money | None = None


class Whole:
    """Counts the calls that come to the application itself."""

    def __init__(self, app: FastAPI) -> None:
        self.app, self.calls = app, 0

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.calls += 1
        await self.app(scope, receive, send)


@pytest.fixture
def api() -> FastAPI:
    app = FastAPI()
    for kind, handler in HANDLERS.items():
        app.add_exception_handler(kind, handler)

    @app.get(ORDERS, response_model_exclude_none=True)
    async def list_orders(
        response: Response, limit: Annotated[int, Query(ge=1, le=50)] = 20, state: Annotated[list[State] | None, Query()] = None
    ) -> Order:
        response.headers["Link"] = f"<{limit}>"
        said = {"limit": limit, "state": state, "client": caller.get().client}
        return Order(id="all", said=said, total=Money.of("1.50", "EUR"))

    @app.get(f"{ORDERS}/{{order_id}}", response_model_exclude_none=True)
    async def get_order(order_id: Annotated[str, Path(max_length=20)]) -> Order:
        if order_id == "gone":
            raise Conflict("it is gone", field="order_id")
        return Order(id=order_id, said={})

    @app.post(ORDERS, status_code=201, response_model_exclude_none=True)
    async def submit_order(new: NewOrder, idempotency_key: IdempotencyKey, response: Response) -> Order:
        if new.quote == "later":
            response.status_code = 202
        return Order(id=idempotency_key, said=new.model_dump(mode="json"))

    @app.get(HELLO)
    async def say_hello() -> Response:
        return Response(status_code=204)

    return app


@pytest.fixture
def both(build: Any, api: FastAPI) -> Any:
    return (build(targets={"process/orders": Direct(api)}), build(targets={"process/orders": InProcess(api)}))


def _told(answer: Any) -> Any:
    """What must be the same; ids and counters of the call differ."""
    own = {"x-correlation-id", "x-request-id", "ratelimit"}
    instance = f"urn:trivium:request:{answer.headers['x-request-id']}"
    headers = {name: value for name, value in answer.headers.items() if name not in own and name != "content-length"}
    body = answer.json() if answer.body else None
    if isinstance(body, dict):
        assert body.pop("instance", instance) == instance
        body.pop("correlation_id", None)
    return answer.status, headers, body


@pytest.mark.parametrize(
    "target",
    [ORDERS, f"{ORDERS}?limit=5", f"{ORDERS}?limit=5&state=held&state=running", f"{ORDERS}?limit=51", f"{ORDERS}?limit=x",
     f"{ORDERS}/o1", f"{ORDERS}/%C3%A4%20b", f"{ORDERS}/gone", f"{ORDERS}/{'x' * 21}", HELLO],
)  # fmt: skip
@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_a_read_is_answered_as_the_application_answers_it(both: Any, method: str, target: str) -> None:
    direct, whole = both

    assert _told(await direct.ask(method, target)) == _told(await whole.ask(method, target))


BODIES = st.fixed_dictionaries(
    {"quote": st.sampled_from(["q1", "later", "Ä"])},
    optional={
        "lines": st.lists(st.fixed_dictionaries({"sku": st.text(max_size=5)}, optional={"quantity": st.integers(-2, 2)})),
        "more": st.none(),
    },
)


@given(body=BODIES)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_any_write_is_answered_as_the_application_answers_it(build: Any, api: FastAPI, body: Any) -> None:
    direct, whole = (build(targets={"process/orders": kind(api)}) for kind in (Direct, InProcess))

    assert _told(await direct.submit(body)) == _told(await whole.submit(body))


async def test_the_application_is_not_asked_for_a_plain_call(build: Any, api: FastAPI) -> None:
    direct = Direct(api)
    direct._whole = InProcess(counted := Whole(api))
    house = build(targets={"process/orders": direct})

    answers = [await house.ask("GET", ORDERS), await house.submit({"quote": "q1"}), await house.submit({"quote": "later"})]

    assert [answer.status for answer in answers] == [200, 201, 202]
    assert counted.calls == 0


async def test_a_sampled_call_goes_through_the_application_whose_instrumentation_has_its_span(build: Any, api: FastAPI) -> None:
    direct = Direct(api, traced=True)
    direct._whole = InProcess(counted := Whole(api))
    house = build(targets={"process/orders": direct})

    with trace.use_span(TracerProvider().get_tracer("test").start_span("door")):
        await house.ask("GET", ORDERS)
    await house.ask("GET", ORDERS)

    assert counted.calls == 1


async def test_an_endpoint_that_is_called_straight_is_left_when_it_takes_too_long(build: Any) -> None:
    app = FastAPI()

    @app.get(HELLO)
    async def say_hello() -> Order:
        await asyncio.Event().wait()
        raise AssertionError

    answer = await build(targets={"process/orders": Direct(app)}).ask("GET", HELLO)

    assert (answer.status, answer.json()["system"]) == (504, "process/orders")


async def test_an_answer_that_breaks_the_endpoints_own_promise_is_an_internal_problem(build: Any) -> None:
    app = FastAPI()

    @app.get(HELLO)
    async def say_hello() -> Order:
        return {"secret": "detail"}  # type: ignore[return-value]

    answer = await build(targets={"process/orders": Direct(app)}).ask("GET", HELLO)

    assert answer.status == answer.json()["status"] == 500
    assert "secret" not in answer.body.decode()


def test_every_endpoint_that_we_declare_is_called_straight() -> None:
    routes = [route for api in declared() for route in api.app.routes if isinstance(route, APIRoute)]

    assert len(routes) > 30
    assert [route.path for route in routes if compiled(route) is None] == []


def test_what_a_signature_cannot_say_is_left_to_the_application() -> None:
    app = FastAPI()

    @app.get("/1")
    async def with_request(request: Request) -> Order: ...

    @app.get("/2")
    async def with_dependency(name: Annotated[str, Depends(lambda: "x")]) -> Order: ...

    @app.get("/3")
    async def without_promise(name: str):  # type: ignore[no-untyped-def]
        ...

    @app.get("/4")
    def not_async(name: str) -> Order: ...

    @app.post("/5")
    async def with_list_body(names: list[str]) -> Order: ...

    @app.get("/6")
    async def with_old_style_header(name: str = Header()) -> Order: ...

    found = [compiled(route) for route in app.routes if isinstance(route, APIRoute)]

    assert found == [None] * 6
