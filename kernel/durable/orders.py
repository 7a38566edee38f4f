"""What people tell a run (decide, release, cancel): accepted in one transaction, delivered to the engine at least once after it.

An accepted order is never lost: it is a row of `run_message` until the engine has it, and the engine takes each row once.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final
from uuid import uuid4

from sqlalchemy import Connection, RowMapping, and_, select, update

from kernel.durable.index import RunIndex
from kernel.durable.port import FINAL, RunState
from kernel.durable.tables import run, run_message
from kernel.problem import Conflict, NotFound

_FINAL: Final = tuple(state.value for state in FINAL)
PARKED: Final = frozenset({RunState.HELD.value, RunState.WAITING.value})
_KEPT: Final = ("state", "waiting_for", "problem", "step")  # what a gate covers, and gives back
_MOVING: Final = {"state": RunState.RUNNING.value, "waiting_for": None, "problem": None, "step": None}


def address(topic: str, progress: int) -> str:
    """The topic of one park of one run: what was meant for an earlier park cannot wake a later one."""
    return f"{topic}@{progress}"


class Orders:
    """The only writer of `run_message`."""

    def __init__(self, index: RunIndex) -> None:
        self._index = index

    async def signal(self, run_id: str, topic: str, payload: str, once: str) -> None:
        name = f"signal {topic} {once}"
        known = select(run_message.c.once).where(run_message.c.run_id == run_id, run_message.c.once == name)

        def work(connection: Connection) -> None:
            row = _locked(connection, run_id)
            if connection.execute(known).first() is not None:
                return
            if row["state"] != RunState.WAITING.value or row["waiting_for"] != topic:
                raise Conflict(f"{run_id} is not waiting for {topic}", fix="read the run: it says what it is waiting for")
            self._wake(connection, row, {"payload": payload}, name)

        await self._index.store(work)

    async def release(self, run_id: str, by: str) -> None:
        def work(connection: Connection) -> None:
            row = _locked(connection, run_id)
            if row["state"] != RunState.HELD.value:
                raise Conflict(f"{run_id} is not held; it is {row['state']}")
            if row["gate"] is None:
                self._wake(connection, row, {"release": by})
            else:
                self._change(connection, run_id, **_before_gate(row))

        await self._index.store(work)

    async def cancel(self, run_id: str, by: str, reason: str) -> Mapping[str, str]:
        """Who stops the run and why: the first who asked."""

        def work(connection: Connection) -> Mapping[str, str]:
            row = _locked(connection, run_id)
            if row["state"] in _FINAL:
                raise Conflict(f"{run_id} is {row['state']} already")
            if row["ending"]:
                raise Conflict(f"{run_id} is being undone already", fix="release it where an undo is held")
            stop: Mapping[str, str] = row["stop"] or {"by": by, "reason": reason}
            before = _before_gate(row)
            self._change(connection, run_id, stop=stop, **before)
            if {**row, **before}["state"] in PARKED:
                self._wake(connection, {**row, **before}, {"stop": stop})
            return stop

        return await self._index.store(work)

    async def shut_gate(self, run_id: str, why: str, problem: Mapping[str, Any]) -> None:
        """Holds the run outside its story; the record as the story left it is kept for when the gate opens."""

        def work(connection: Connection) -> None:
            row = _locked(connection, run_id)
            if row["state"] not in _FINAL and row["gate"] is None:
                gate = {"why": why, **{name: row[name] for name in _KEPT}}
                self._change(connection, run_id, state=RunState.HELD.value, gate=gate, problem=dict(problem), waiting_for=None)

        await self._index.store.patiently(work)

    async def open_gate(self, run_id: str) -> None:
        await self._index.store.patiently(
            lambda connection: self._change(connection, run_id, **_before_gate(_locked(connection, run_id)))
        )

    async def expire(self, run_id: str, progress: int) -> bool:
        """Closes a decision whose time is over; False when an answer was accepted before. The same answer when asked again."""
        answer = select(run_message.c.once).where(run_message.c.run_id == run_id, run_message.c.topic.like(f"%@{progress}"))

        def work(connection: Connection) -> bool:
            row = _locked(connection, run_id)
            if row["state"] == RunState.WAITING.value and row["progress"] == progress:
                self._change(connection, run_id, **_MOVING)
            return connection.execute(answer).first() is None

        return await self._index.store.patiently(work)

    async def stops(self) -> Mapping[str, Mapping[str, str]]:
        """Runs to be stopped at their next step. One that parked in the moment it was cancelled is woken."""
        asked = and_(run.c.stop.is_not(None), run.c.state.not_in(_FINAL), run.c.ending.is_(False))

        def work(connection: Connection) -> Mapping[str, Mapping[str, str]]:
            rows = connection.execute(select(run).where(asked).with_for_update()).mappings().all()
            for row in rows:
                if row["state"] in PARKED and row["gate"] is None:
                    self._wake(connection, {**row}, {"stop": row["stop"]})
            return {row["id"]: row["stop"] for row in rows}

        return await self._index.store(work)

    async def due(self, run_id: str | None = None) -> Sequence[RowMapping]:
        query = select(run_message).where(run_message.c.delivered.is_(False)).order_by(run_message.c.created_at).limit(200)
        if run_id is not None:
            query = query.where(run_message.c.run_id == run_id)
        return await self._index.store(lambda connection: connection.execute(query).mappings().all())

    async def delivered(self, message: RowMapping) -> None:
        where = and_(run_message.c.run_id == message["run_id"], run_message.c.once == message["once"])
        await self._index.store(lambda connection: connection.execute(update(run_message).where(where).values(delivered=True)))

    def _wake(self, connection: Connection, row: Mapping[str, Any], body: Mapping[str, Any], once: str | None = None) -> None:
        self._change(connection, row["id"], **_MOVING)
        topic = row["waiting_for"] if row["state"] == RunState.WAITING.value else RunState.HELD.value
        values = {"run_id": row["id"], "once": once or str(uuid4()), "topic": address(topic, row["progress"]), "body": dict(body)}
        connection.execute(run_message.insert().values(**values, delivered=False, created_at=self._index.now()))

    def _change(self, connection: Connection, run_id: str, **values: Any) -> None:
        connection.execute(update(run).where(run.c.id == run_id).values(**values, updated_at=self._index.now()))


def _before_gate(row: Mapping[str, Any]) -> dict[str, Any]:
    """What opening the gate writes; nothing where there is none."""
    gate = row["gate"]
    return {} if gate is None else {**{name: gate[name] for name in _KEPT}, "gate": None, "crashes": 0}


def _locked(connection: Connection, run_id: str) -> dict[str, Any]:
    row = connection.execute(select(run).where(run.c.id == run_id).with_for_update()).mappings().first()
    if row is None:
        raise NotFound(f"there is no run {run_id}")
    return {**row}
