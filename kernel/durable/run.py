"""The `Run` that a workflow is given, over DBOS: same story, same engine operations in the same order, in every replay."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final, TypeVar

from dbos import DBOS
from opentelemetry import propagate, trace
from pydantic import BaseModel
from pydantic_core import to_jsonable_python

from kernel.durable.history import UNDO, title
from kernel.durable.index import Opening
from kernel.durable.orders import address
from kernel.durable.port import RunState, Stop
from kernel.durable.runtime import Runtime
from kernel.durable.steps import Attempt, Call, Outcome, key_part, tracer
from kernel.problem import Problem

R = TypeVar("R", bound=BaseModel)
_FOR_EVER: Final = timedelta(days=3650)


class DurableRun:
    """One execution of one run."""

    def __init__(self, runtime: Runtime, opening: Opening) -> None:
        self.id, self.key = opening.id, opening.key
        self.progress = 0
        self._runtime = runtime
        self._facts: dict[str, Any] = {}
        self._names: set[str] = set()
        self._undo: list[tuple[str, Call]] = []
        self._origin = propagate.extract(opening.trace)
        self._span = self._begin_span()

    async def step(
        self,
        name: str,
        call: Callable[[str], Awaitable[R]],
        returns: type[R],
        undo: Callable[[R, str], Awaitable[object]] | None = None,
    ) -> R:
        async def perform(key: str) -> str:
            result = await call(key)
            if not isinstance(result, returns):
                raise TypeError(f"{name} returned {type(result).__name__}, not {returns.__name__}")
            return dumped(result)

        result = returns.model_validate_json(await self._perform(self._named(name), perform))
        if undo is not None:
            self._undo.append((name, _without_result(lambda key: undo(result, key))))
        return result

    async def do(self, name: str, call: Callable[[str], Awaitable[object]]) -> None:
        await self._perform(self._named(name), _without_result(call))

    async def decision(self, topic: str, returns: type[R], within: timedelta) -> R | None:
        await self._park(RunState.WAITING, waiting_for=topic)
        park = self.progress
        answer = await self._receive(address(topic, park), within)
        if answer is None:

            async def expire() -> Outcome:
                return {"expired": await self._runtime.orders.expire(self.id, park)}

            if (await DBOS.run_step_async({"name": "_expire"}, expire))["expired"]:
                return None
            answer = await self._receive(address(topic, park), _FOR_EVER)
        _raise_stop(answer)
        return returns.model_validate_json(answer["payload"])

    async def note(self, **facts: Any) -> None:
        self._facts |= to_jsonable_python(facts)
        self.progress += 1
        await self._runtime.index.turn(self.id, self.progress, facts=self._facts)

    async def now(self) -> datetime:
        async def read() -> str:
            return self._runtime.clock.now().isoformat()

        await self._runtime.admit()
        return datetime.fromisoformat(await DBOS.run_step_async({"name": "_now"}, read))

    async def undo_all(self) -> None:
        """Undoes the finished steps, last first. Nobody can stop this; an undo that fails holds the run like any step."""
        if not self._undo:
            return
        self.progress += 1
        await self._runtime.index.turn(self.id, self.progress, ending=True)
        while self._undo:
            name, call = self._undo.pop()
            await self._perform(UNDO + name, call, stoppable=False)

    async def finish(self, state: RunState, **values: Any) -> None:
        """Writes the final record and ends the span."""
        self.progress += 1
        await self._runtime.index.turn(
            self.id, self.progress, state=state.value, waiting_for=None, step=None, gate=None, **{"problem": None, **values}
        )
        self._runtime.moving.discard(self.id)
        self._end_span(state)
        self._runtime.announce(self.id)

    def _named(self, name: str) -> str:
        key = key_part(name)
        if key in self._names or key.startswith((key_part(UNDO), "_", "DBOS.")):
            raise ValueError(f"a step cannot be called {name!r}: the name is taken, and it is the idempotency key")
        self._names.add(key)
        return name

    async def _perform(self, name: str, call: Call, stoppable: bool = True) -> str:
        attempt = 1
        while True:
            body = Attempt(self._runtime, self.id, self.progress, name, stoppable)
            async with self._runtime.working(self.id, name):
                with trace.use_span(self._span, end_on_exit=False):
                    outcome: Outcome = await DBOS.run_step_async({"name": title(name, attempt)}, body.__call__, call)
            if "ok" in outcome:
                return str(outcome["ok"])
            _raise_stop(outcome)
            await self._hold(name, outcome)
            attempt += 1

    async def _hold(self, name: str, outcome: Outcome) -> None:
        step = {"name": name, "state": "held", "problem": outcome["problem"], "started_at": outcome["started_at"]}
        await self._park(RunState.HELD, problem=outcome["problem"], step={**step, "attempts": outcome["attempts"]})
        while (answer := await self._receive(address(RunState.HELD, self.progress), _FOR_EVER)) is None:
            pass
        if "stop" in answer and not name.startswith(UNDO):
            _raise_stop(answer)

    async def _park(self, state: RunState, **values: Any) -> None:
        self.progress += 1
        await self._runtime.index.turn(self.id, self.progress, state=state.value, **values)
        self._runtime.moving.discard(self.id)
        self._end_span(state)
        self._runtime.announce(self.id)

    async def _receive(self, topic: str, within: timedelta) -> Any:
        await self._runtime.admit()
        answer = await DBOS.recv_async(topic, timeout_seconds=within.total_seconds())
        self._runtime.moving.add(self.id)
        self._span = self._begin_span()
        return answer

    def _begin_span(self) -> trace.Span:
        """A span per stretch of work: a run may be parked for weeks, and a span is only seen once it has ended."""
        process = self.id.partition(":")[0]
        return tracer.start_span(f"run {process}", context=self._origin, attributes={"trivium.run": self.id})

    def _end_span(self, state: RunState) -> None:
        self._span.set_attribute("trivium.state", state.value)
        self._span.end()


def dumped(model: BaseModel) -> str:
    return model.model_dump_json(by_alias=True, round_trip=True)


def ending(error: Stop | Problem) -> tuple[RunState, dict[str, Any]]:
    """The final state of a stopped story, and what its record says."""
    match error:
        case Stop():
            return error.state, {"reason": error.reason}
        case Problem():
            return RunState.FAILED, {"problem": error.body()}


def _raise_stop(answer: Mapping[str, Any]) -> None:
    if "stop" in answer:
        raise Stop(RunState.CANCELLED, f"{answer['stop']['reason']} ({answer['stop']['by']})")


def _without_result(call: Callable[[str], Awaitable[object]]) -> Call:
    async def perform(key: str) -> str:
        await call(key)
        return "null"

    return perform
