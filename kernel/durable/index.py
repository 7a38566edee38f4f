"""Our own record of every run, searchable without the engine.

`progress` counts the turns of a run's story (parked, noted, ended), which are the same in every replay: a turn is written only
over an earlier one, so neither a replay nor an execution that lost its run sets the record back; a final record never changes.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, RowMapping, Table, and_, or_, select, update
from sqlalchemy.dialects.postgresql import insert as postgres_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from kernel.clock import Clock
from kernel.durable.port import FINAL, RunRecord, RunState, Start, owner
from kernel.durable.store import Store
from kernel.durable.tables import run, run_request
from kernel.problem import Conflict, KeyReused

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_FINAL: Final = tuple(state.value for state in FINAL)


@dataclass(frozen=True)
class Opening:
    """How a run began; stored with the run and given to the engine, so that either can be restored from the other."""

    process: str
    key: str
    request: str  # JSON
    client: str
    fingerprint: str
    correlation_id: str
    created_at: int
    subject: Mapping[str, str] = field(default_factory=dict)
    trace: Mapping[str, str] = field(default_factory=dict)  # W3C trace context
    accounts: Sequence[str] | None = None  # what the run may see, as its caller; None: everything
    partner: str = ""

    @property
    def id(self) -> str:
        return f"{self.process}:{self.key}"


@dataclass(frozen=True)
class Wanted:
    """Which runs are searched for; see `Durable.search`."""

    process: str | None
    state: RunState | None
    subject: Mapping[str, str]
    among: Mapping[str, Collection[str]]


def micros(moment: datetime) -> int:
    return (moment - _EPOCH) // timedelta(microseconds=1)


def moment(value: int) -> datetime:
    return _EPOCH + timedelta(microseconds=value)


def record(row: RowMapping) -> RunRecord:
    return RunRecord(
        id=row["id"],
        process=row["process"],
        key=row["key"],
        state=RunState(row["state"]),
        correlation_id=row["opening"]["correlation_id"],
        client=row["client"],
        created_at=moment(row["created_at"]),
        updated_at=moment(row["updated_at"]),
        subject=row["subject"],
        facts=row["facts"],
        result=row["result"],
        problem=row["problem"],
        waiting_for=row["waiting_for"],
        reason=row["reason"],
    )


def _reused(idempotency_key: str) -> KeyReused:
    return KeyReused(
        f"the Idempotency-Key {idempotency_key} came with another request before",
        field="Idempotency-Key",
        fix="use a new key for a new request",
    )


class RunIndex:
    """Reads and writes the run tables; every method is one transaction."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self.store, self._clock = store, clock
        self._insert = sqlite_insert if store.embedded else postgres_insert

    def now(self) -> int:
        return micros(self._clock.now())

    async def open(self, opening: Opening, idempotency_key: str) -> tuple[RunRecord, bool]:
        """The run and whether it is new. Concurrent openings of one key queue at the request row, of one run at its row."""

        def work(connection: Connection) -> tuple[RunRecord, bool]:
            self._claim(connection, owner(opening.client, opening.partner), idempotency_key, opening.fingerprint, opening.id)
            fresh = connection.execute(self._added(run, _first_row(opening)).returning(run.c.id))
            if fresh.first() is not None:
                return _first_record(opening), True
            row = connection.execute(select(run).where(run.c.id == opening.id)).mappings().one()
            if row["fingerprint"] != opening.fingerprint:
                raise Conflict(
                    f"{opening.id} was started with another content",
                    fix="read the run that is there, or use another business key",
                    run=opening.id,
                )
            return record(row), False

        return await self.store(work)

    async def join(self, run_id: str, start: Start) -> None:
        """Binds a client's key to a run that is there, as the opening of the run bound the first."""
        claim = (start.owner, start.idempotency_key, start.fingerprint, run_id)
        await self.store(lambda connection: self._claim(connection, *claim))

    def _claim(self, connection: Connection, client: str, idempotency_key: str, fingerprint: str, run_id: str) -> None:
        mine = {"client": client, "idempotency_key": idempotency_key}
        values = {**mine, "fingerprint": fingerprint, "run_id": run_id, "created_at": self.now()}
        added = connection.execute(self._added(run_request, values).returning(run_request.c.run_id))
        if added.first() is not None:
            return
        where = and_(run_request.c.client == client, run_request.c.idempotency_key == idempotency_key)
        earlier = connection.execute(select(run_request).where(where)).mappings().one()
        if (earlier["fingerprint"], earlier["run_id"]) != (fingerprint, run_id):
            raise _reused(idempotency_key)

    async def started_by(self, client: str, idempotency_key: str, fingerprint: str) -> RunRecord | None:
        """The run that a client's key has started; raises KeyReused when it came with another content."""

        def work(connection: Connection) -> RunRecord | None:
            where = and_(run_request.c.client == client, run_request.c.idempotency_key == idempotency_key)
            earlier = connection.execute(select(run_request).where(where)).mappings().first()
            if earlier is None:
                return None
            if earlier["fingerprint"] != fingerprint:
                raise _reused(idempotency_key)
            return record(connection.execute(select(run).where(run.c.id == earlier["run_id"])).mappings().one())

        return await self.store(work)

    def _added(self, table: Table, values: Mapping[str, Any]) -> Any:
        return self._insert(table).values(dict(values)).on_conflict_do_nothing()

    async def restore(self, opening: Opening) -> RowMapping:
        """The run's row; written again when a power failure took it and left the engine's."""

        def work(connection: Connection) -> RowMapping:
            connection.execute(self._added(run, _first_row(opening)))
            return connection.execute(select(run).where(run.c.id == opening.id)).mappings().one()

        return await self.store.patiently(work)

    async def turn(self, run_id: str, progress: int, **values: Any) -> bool:
        """Records turn number `progress` of the story, unless it or a later one is recorded already."""
        return await self._update(and_(run.c.id == run_id, run.c.progress < progress), progress=progress, **values)

    async def amend(self, run_id: str, progress: int, **values: Any) -> bool:
        """Changes the record within turn number `progress`."""
        return await self._update(and_(run.c.id == run_id, run.c.progress == progress), **values)

    async def change(self, run_id: str, **values: Any) -> bool:
        """Changes the record whatever the turn, unless it is final."""
        return await self._update(run.c.id == run_id, **values)

    async def _update(self, where: Any, **values: Any) -> bool:
        statement = update(run).where(where, run.c.state.not_in(_FINAL)).values(**values, updated_at=self.now())
        return await self.store.patiently(lambda connection: bool(connection.execute(statement).rowcount))

    async def row(self, run_id: str) -> RowMapping | None:
        return await self.store(lambda connection: connection.execute(select(run).where(run.c.id == run_id)).mappings().first())

    async def search(self, wanted: Wanted, before: str | None, limit: int) -> Sequence[RunRecord]:
        among = [run.c.subject[name].as_string().in_(values) for name, values in wanted.among.items()]
        query = select(run).where(*among).order_by(run.c.created_at.desc(), run.c.id.desc()).limit(limit)
        if wanted.process is not None:
            query = query.where(run.c.process == wanted.process)
        if wanted.state is not None:
            query = query.where(run.c.state == wanted.state.value)
        if wanted.subject:
            query = query.where(self._about(wanted.subject))
        if before is not None:  # nothing is before a run that may not be seen, as nothing is before one that is not there
            last = select(run.c.created_at).where(run.c.id == before, *among).scalar_subquery()
            query = query.where(or_(run.c.created_at < last, and_(run.c.created_at == last, run.c.id < before)))
        return await self.store(lambda connection: [record(row) for row in connection.execute(query).mappings()])

    def _about(self, subject: Mapping[str, str]) -> Any:
        if self.store.embedded:
            return and_(*(run.c.subject[name].as_string() == value for name, value in subject.items()))
        return run.c.subject.op("@>")(dict(subject))

    async def quiet(self, since: int, limit: int = 500) -> Sequence[RowMapping]:
        """Runs that should be moving and whose record has not changed since then, oldest first."""
        query = select(run).where(run.c.state == RunState.RUNNING.value, run.c.updated_at < since)
        query = query.order_by(run.c.updated_at).limit(limit)
        return await self.store(lambda connection: connection.execute(query).mappings().all())


def _first_row(opening: Opening) -> dict[str, Any]:
    stored = {**vars(opening), "subject": dict(opening.subject), "trace": dict(opening.trace)}
    named = {name: stored[name] for name in ("process", "key", "client", "fingerprint", "subject", "created_at")}
    counted = {"progress": 0, "crashes": 0, "steps_seen": 0, "ending": False, "facts": {}}
    begun = {"state": RunState.RUNNING.value, "opening": stored, "updated_at": opening.created_at}
    return {"id": opening.id, **begun, **named, **counted}


def _first_record(opening: Opening) -> RunRecord:
    begun = moment(opening.created_at)
    return RunRecord(
        id=opening.id,
        process=opening.process,
        key=opening.key,
        state=RunState.RUNNING,
        correlation_id=opening.correlation_id,
        client=opening.client,
        created_at=begun,
        updated_at=begun,
        subject=opening.subject,
        facts={},
    )
