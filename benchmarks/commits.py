"""What the database itself can do: one row inserted a commit, by the driver that the durable engine uses, on one connection."""

import sqlite3
from collections.abc import Callable
from pathlib import Path
from time import perf_counter, process_time

import psycopg
from sqlalchemy.engine import make_url

SECONDS = 2.0  # how long it is tried
BODY = "x" * 400  # about what a step leaves


def plain_commits(url: str) -> tuple[float, float]:
    """Commits per second, and per second of this process's CPU."""
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        file = Path(parsed.database or "").with_suffix(".plain")
        file.parent.mkdir(parents=True, exist_ok=True)
        with sqlite3.connect(file, isolation_level=None) as connection:
            connection.execute("PRAGMA journal_mode=WAL")  # synchronous stays FULL, as in the engine's own file
            connection.execute("create table plain_commit (id integer primary key, body text)")
            return _count(lambda: connection.execute("insert into plain_commit (body) values (?)", (BODY,)))
    conninfo = parsed.set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(conninfo, autocommit=True) as server:
        server.execute("create table plain_commit (id bigserial primary key, body text)")
        return _count(lambda: server.execute("insert into plain_commit (body) values (%s)", (BODY,)))


def _count(commit: Callable[[], object]) -> tuple[float, float]:
    begun, used, done = perf_counter(), process_time(), 0
    while (passed := perf_counter() - begun) < SECONDS:
        commit()
        done += 1
    return done / passed, done / (process_time() - used)
