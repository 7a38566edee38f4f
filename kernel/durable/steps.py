"""One attempt at one step: called until it succeeds, its budget is spent, a person is needed, or the run is to stop.

The result is an outcome that the engine records; whatever is decided in here is therefore decided once, replays included.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from opentelemetry import trace

from kernel.durable.index import micros
from kernel.durable.runtime import Runtime
from kernel.problem import Internal, Problem

Outcome = dict[str, Any]
Call = Callable[[str], Awaitable[str]]  # idempotency key to JSON

log = logging.getLogger("trivium.durable")
tracer = trace.get_tracer("trivium.durable")


class Attempt:
    """The body of a step of one run."""

    def __init__(self, runtime: Runtime, run_id: str, progress: int, name: str, stoppable: bool) -> None:
        self._runtime, self._run_id, self._progress, self._name, self._stoppable = runtime, run_id, progress, name, stoppable
        self._tries = 0

    async def __call__(self, call: Call) -> Outcome:
        with tracer.start_as_current_span(self._name, attributes={"trivium.run": self._run_id}) as span:
            outcome = await self._insist(call)
            if "problem" in outcome:
                span.set_status(trace.StatusCode.ERROR, outcome["problem"]["detail"])
            return {"step": self._name, "attempts": self._tries, **outcome}

    async def _insist(self, call: Call) -> Outcome:
        clock, patience = self._runtime.clock, self._runtime.patience
        begun, patient_until = clock.now(), clock.monotonic() + patience.budget
        while True:
            if (stop := self._stop()) is not None:
                return {"stop": dict(stop)}
            self._tries += 1
            problem = await self._fails(call)
            if isinstance(problem, str):
                return {"ok": problem}
            pause = patience.pause(self._tries, problem)
            if not problem.retryable or clock.monotonic() + pause > patient_until:
                return {"problem": problem.body(), "started_at": micros(begun)}
            log.info("step is repeated", extra={"run": self._run_id, "step": self._name, "problem": problem.slug})
            await self._note(problem, micros(begun))
            await self._pause(pause)

    async def _fails(self, call: Call) -> Problem | str:
        """The problem of one try, or the JSON it returned."""
        try:
            return await call(f"{self._run_id}:{key_part(self._name)}")
        except Problem as problem:
            return problem
        except Exception as error:
            log.exception("step failed unexpectedly", extra={"run": self._run_id, "step": self._name})
            # The message of an unknown exception may hold anything; it is in the log.
            return Internal(f"the step failed unexpectedly: {type(error).__name__}")

    def _stop(self) -> Mapping[str, str] | None:
        return self._runtime.stops.get(self._run_id) if self._stoppable else None

    async def _pause(self, seconds: float) -> None:
        until = self._runtime.clock.monotonic() + seconds
        while (left := until - self._runtime.clock.monotonic()) > 0 and self._stop() is None:
            await self._runtime.news(self._run_id, left)
            if self._runtime.closing:
                raise asyncio.CancelledError  # not recorded: the next launch attempts the step again

    async def _note(self, problem: Problem, begun: int) -> None:
        trouble = {
            "name": self._name,
            "state": "retrying",
            "attempts": self._tries,
            "started_at": begun,
            "problem": problem.body(),
        }
        try:
            await self._runtime.index.amend(self._run_id, self._progress, step=trouble)
        except asyncio.CancelledError:
            raise
        except Exception:  # what an operator sees meanwhile must not decide about the step
            log.warning("the index could not be told of a repeated step", exc_info=True)


def key_part(name: str) -> str:
    """The step's part of its idempotency key, which travels in headers: no spaces."""
    return name.replace(" ", "-")
