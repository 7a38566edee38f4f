"""One execution of a story, first or recovered, to its final record; what goes wrong outside every step holds the run.

Only three things end an execution: the final record, the loss of the run to another process, and the end of this process.
"""

import asyncio
import logging
from dataclasses import dataclass
from typing import Any

from dbos import error as engine_error
from pydantic import BaseModel
from sqlalchemy import RowMapping

from kernel import context
from kernel.durable.index import Opening
from kernel.durable.port import RunState, Stop, Workflow
from kernel.durable.run import DurableRun, ending
from kernel.durable.runtime import Runtime
from kernel.problem import Internal, Problem

log = logging.getLogger("trivium.durable")


@dataclass(frozen=True)
class Registered:
    """A process and its story."""

    workflow: Workflow[Any]
    request: type[BaseModel]
    result: type[BaseModel]


class Execution:
    """The body of the engine's workflow for one process."""

    def __init__(self, runtime: Runtime, registered: Registered) -> None:
        self._runtime, self._registered = runtime, registered

    async def __call__(self, stored: dict[str, Any]) -> None:
        opening = Opening(**stored)
        context.correlation_id.set(opening.correlation_id)
        accounts = None if opening.accounts is None else frozenset(opening.accounts)
        context.caller.set(context.Someone(opening.client, accounts, opening.partner))
        await self._runtime.admit()
        self._runtime.moving.add(opening.id)
        try:
            if opening.id not in self._runtime.fresh:
                await self._recover(opening)
            self._runtime.fresh.discard(opening.id)
            await self._tell(opening)
        finally:
            self._runtime.moving.discard(opening.id)
            self._runtime.announce(opening.id)

    async def _tell(self, opening: Opening) -> None:
        run = DurableRun(self._runtime, opening)
        try:
            request = self._registered.request.model_validate_json(opening.request)
            result = await self._registered.workflow(run, request)
            if not isinstance(result, self._registered.result):
                raise TypeError(f"{opening.process} returned {type(result).__name__}")
        except (Stop, Problem) as error:
            await self._end(run, error)
        except Exception as error:
            await self._stumble(run, error)
        else:
            await run.finish(RunState.COMPLETED, result=result.model_dump(mode="json"))

    async def _end(self, run: DurableRun, error: Stop | Problem) -> None:
        try:
            await run.undo_all()
        except Exception as unexpected:
            await self._stumble(run, unexpected)
        else:
            state, values = ending(error)
            await run.finish(state, **values)

    async def _stumble(self, run: DurableRun, error: Exception) -> None:
        """A bug in the story, or a story that was changed under its runs: told again at the next launch, or on release."""
        await self._runtime.admit()  # what goes wrong because the engine closes is nobody's bug
        log.error("run stumbled", exc_info=error, extra={"run": run.id})
        told = f"the story failed outside its steps: {type(error).__name__}; nothing was undone"
        await self._gate(run.id, "story", Internal(told, fix="correct the process, then release the run"))
        stop = self._runtime.stops.get(run.id)
        if stop is not None and not isinstance(error, engine_error.DBOSException):
            await self._end(run, Stop(RunState.CANCELLED, f"{stop['reason']} ({stop['by']})"))
            return
        # Nothing is recorded of an execution that is cancelled: the sweeper finds the run idle and has it told from the start.
        raise asyncio.CancelledError

    async def _recover(self, opening: Opening) -> None:
        row = await self._runtime.index.restore(opening)
        match row["gate"]:
            case {"why": "crashes"}:
                await self._wait_at_gate(opening.id)
            case {"why": "story"}:  # this process may have been started for a corrected one
                await self._runtime.orders.open_gate(opening.id)
            case _ if row["state"] == RunState.RUNNING.value:
                await self._count_crash(row)

    async def _count_crash(self, row: RowMapping) -> None:
        seen = len(await self._runtime.host.steps(row["id"], outputs=False))
        crashes = row["crashes"] + 1 if seen == row["steps_seen"] else 1
        await self._runtime.index.change(row["id"], crashes=crashes, steps_seen=seen)
        if crashes > self._runtime.patience.crashes:
            told = f"the process ended {crashes - 1} times in a row while it worked on this run"
            await self._gate(row["id"], "crashes", Internal(told, fix="find out why; then release or cancel the run"))

    async def _gate(self, run_id: str, why: str, problem: Problem) -> None:
        await self._runtime.orders.shut_gate(run_id, why, problem.body())
        self._runtime.moving.discard(run_id)
        self._runtime.announce(run_id)
        await self._wait_at_gate(run_id)

    async def _wait_at_gate(self, run_id: str) -> None:
        """The engine has no record of this waiting; it looks at ours."""
        while (row := await self._runtime.index.row(run_id)) is not None and row["gate"] is not None:
            await self._runtime.news(run_id, self._runtime.patience.tend_every)
        if row is not None and row["stop"] is not None:
            self._runtime.stops[run_id] = row["stop"]
        self._runtime.moving.add(run_id)
