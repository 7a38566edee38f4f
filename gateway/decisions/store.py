"""The decision log in a database: written in batches, read by request id or by time, forgotten by age and by number."""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, create_engine, delete, event, func, select, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import make_url

from gateway.decisions.tables import decisions, metadata, rules

FILE = "decisions.sqlite"
BATCH = 2_000  # rows read or forgotten at once
_SCHEMA_LOCK = 7_283_401_101  # any constant: the advisory lock under which the tables are made
_FORGOTTEN = '{"api": "unknown", "version": "", "contract": "", "policies": [], "behind": ""}'

Row = dict[str, Any]


class DecisionStore:
    """Blocking: for a thread of its own. `url` of our database; an embedded one is left alone, for a file beside it."""

    def __init__(self, url: str, data: Path) -> None:
        parsed, self._opened = make_url(url), False
        self._embedded = parsed.get_backend_name() == "sqlite"
        if self._embedded:
            self._engine = create_engine(f"sqlite:///{(data / FILE).absolute()}")
            event.listen(self._engine, "connect", _tune)
        else:
            self._engine = create_engine(parsed.set(drivername="postgresql+psycopg"), pool_size=2, pool_pre_ping=True)

    def open(self) -> None:
        """Makes the tables where they are missing; a second time does nothing."""
        if self._opened:
            return
        with self._engine.begin() as connection:
            if not self._embedded:
                connection.execute(text("select pg_advisory_xact_lock(:lock)"), {"lock": _SCHEMA_LOCK})
            metadata.create_all(connection)
        self._opened = True

    def close(self) -> None:
        self._engine.dispose()

    def write(self, rows: Sequence[Row], ruled: Sequence[Row]) -> None:
        """One transaction. Rules that are there already, perhaps from another process, are known to be in use still."""
        insert = sqlite.insert if self._embedded else postgresql.insert
        with self._engine.begin() as connection:
            if ruled:
                fresh = insert(rules)
                used = fresh.on_conflict_do_update(index_elements=list(rules.primary_key), set_={"at": fresh.excluded.at})
                connection.execute(used, list(ruled))
            connection.execute(insert(decisions).on_conflict_do_nothing(), list(rows))

    def find(self, request_id: str) -> tuple[Row, Row, Row] | None:
        """The row, what is told of the call, and the rules of its operation then."""
        same = (rules.c.configuration == decisions.c.configuration) & (rules.c.operation == decisions.c.operation)
        both = decisions.outerjoin(rules, same)
        self.open()
        asked = select(decisions, rules.c.told.label("ruled")).select_from(both).where(decisions.c.request_id == request_id)
        with self._engine.connect() as connection:
            row = connection.execute(asked).mappings().one_or_none()
        return None if row is None else (dict(row), json.loads(row["told"]), json.loads(row["ruled"] or _FORGOTTEN))

    def newest(self, since: int, most: int) -> Iterator[tuple[Row, Row]]:
        """The newest `most` rows since then (milliseconds), oldest first, each with what is told of it."""
        self.open()
        picked = select(decisions).where(decisions.c.at >= since).order_by(decisions.c.at.desc()).limit(most).subquery()
        with self._engine.connect() as connection:
            found = connection.execution_options(yield_per=BATCH).execute(select(picked).order_by(picked.c.at))
            for row in found.mappings():
                yield dict(row), json.loads(row["told"])

    def count(self) -> int:
        self.open()
        with self._engine.connect() as connection:
            return int(connection.execute(select(func.count()).select_from(decisions)).scalar_one())

    def forget(self, before: int, most: int) -> int:
        """Rows older than that (milliseconds), and the oldest beyond `most`; at most a batch of each, answers how many."""
        self.open()
        with self._engine.begin() as connection:
            gone = _forget(connection, select(decisions.c.request_id).where(decisions.c.at < before).limit(BATCH))
            total = int(connection.execute(select(func.count()).select_from(decisions)).scalar_one())
            if total > most:
                oldest = select(decisions.c.request_id).order_by(decisions.c.at).limit(min(total - most, BATCH))
                gone += _forget(connection, oldest)
            used = select(decisions.c.configuration).distinct()
            connection.execute(delete(rules).where(rules.c.at < before, rules.c.configuration.not_in(used)))
        return gone


def _forget(connection: Connection, which: Any) -> int:
    return connection.execute(delete(decisions).where(decisions.c.request_id.in_(which))).rowcount


def _tune(connection: Any, _: object) -> None:
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "busy_timeout=2000"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def row_of(at: int, configuration: str, status: int, client: str, partner: str, named: Mapping[str, str], told: Row) -> Row:
    """One row as `write` takes it."""
    return {
        "request_id": named["request_id"], "at": at, "operation": named["operation"], "client": client[:128],
        "partner": partner[:64], "status": status, "configuration": configuration, "told": json.dumps(told, ensure_ascii=False),
    }  # fmt: skip
