"""A run's steps as an operator reads them, from the engine's own step records: a step that went well costs no write of ours.

Every step is recorded as an outcome: `{"ok": JSON, "attempts"}`, `{"problem": body, "attempts"}` or `{"stop": …, "attempts"}`.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final

from dbos._sys_db import StepInfo
from sqlalchemy import RowMapping

from kernel.durable.index import moment
from kernel.durable.port import FINAL, RunState, StepRecord

UNDO: Final = "undo "
_TRY: Final = " #"


def title(name: str, attempt: int) -> str:
    """The engine's name of the n-th time that a step is performed (1 until someone released it)."""
    return name if attempt == 1 else f"{name}{_TRY}{attempt}"


def records(steps: Iterable[StepInfo], row: RowMapping, now: tuple[str, datetime] | None) -> Sequence[StepRecord]:
    """`now` is what this process is doing for the run at the moment, if it is the one that works on it."""
    found: dict[str, StepRecord] = {}
    for step in steps:
        outcome = step["output"]
        if isinstance(outcome, dict) and "step" in outcome:
            name = str(outcome["step"])
            found[name] = _merged(found.get(name), name, outcome["attempts"], outcome, step)
    over = RunState(row["state"]) in FINAL
    if not over:
        _add_current(found, row["step"], now)
    return [_settled(record, found, over) for record in found.values()]


def _merged(earlier: StepRecord | None, name: str, attempts: int, outcome: Mapping[str, Any], step: StepInfo) -> StepRecord:
    done = "ok" in outcome
    begun = _time(step["started_at_epoch_ms"])
    return StepRecord(
        name=name,
        state="done" if done else "held",
        attempts=attempts + (earlier.attempts if earlier else 0),
        started_at=earlier.started_at if earlier else begun,
        finished_at=_time(step["completed_at_epoch_ms"]) if done else None,
        problem=outcome.get("problem") or (earlier.problem if earlier else None),
    )


def _add_current(found: dict[str, StepRecord], trouble: Mapping[str, Any] | None, now: tuple[str, datetime] | None) -> None:
    if trouble is not None and found.get(trouble["name"], _NOTHING).state != "done":
        earlier = found.get(trouble["name"], _NOTHING)
        retrying = trouble["state"] == "retrying"
        found[trouble["name"]] = StepRecord(
            name=trouble["name"],
            state=trouble["state"],
            attempts=earlier.attempts + (trouble["attempts"] if retrying else 0),
            started_at=earlier.started_at if earlier.name else moment(trouble["started_at"]),
            problem=trouble["problem"],
        )
    elif now is not None and found.get(now[0], _NOTHING).state != "done":
        earlier = found.get(now[0], StepRecord(now[0], "running", 0, now[1]))
        found[now[0]] = replace(earlier, state="running", attempts=earlier.attempts + 1)


def _settled(record: StepRecord, found: Mapping[str, StepRecord], over: bool) -> StepRecord:
    undo = found.get(UNDO + record.name)
    if undo is not None and undo.state == "done":
        return replace(record, state="undone")
    if over and record.state == "held":
        return replace(record, state="given up")
    return record


def _time(milliseconds: int | None) -> datetime:
    return moment((milliseconds or 0) * 1000).astimezone(UTC)


_NOTHING: Final = StepRecord("", "", 0, moment(0))
