"""The tables of the run index: `run` (one row a run), `run_request` (who asked under which key), `run_message` (orders)."""

from sqlalchemy import JSON, BigInteger, Boolean, Column, Index, Integer, String, Table, Text
from sqlalchemy.dialects.postgresql import JSONB

from kernel.db import metadata

_JSON = JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")

run = Table(
    "run",
    metadata,
    Column("id", String(400), primary_key=True),
    Column("process", String(120), nullable=False),
    Column("key", String(255), nullable=False),
    Column("state", String(20), nullable=False),
    Column("client", String(255), nullable=False),
    Column("fingerprint", String(255), nullable=False),
    Column("opening", _JSON, nullable=False),  # all it takes to start the workflow again
    Column("subject", _JSON, nullable=False),
    Column("facts", _JSON, nullable=False),
    Column("result", _JSON),
    Column("problem", _JSON),
    Column("reason", Text),
    Column("waiting_for", String(120)),
    Column("step", _JSON),  # the step in trouble, which the engine has no record of yet
    Column("progress", Integer, nullable=False),
    Column("stop", _JSON),  # someone asked to cancel: {"by", "reason"}
    Column("ending", Boolean, nullable=False),  # its undoing has begun
    Column("gate", _JSON),  # held outside its story: why, and the record as it was before
    Column("crashes", Integer, nullable=False),
    Column("steps_seen", Integer, nullable=False),  # at the last recovery; no more at the next one means no progress
    Column("created_at", BigInteger, nullable=False),  # microseconds since 1970, like all times here
    Column("updated_at", BigInteger, nullable=False),
)
Index("run_newest", run.c.created_at, run.c.id)
Index("run_state", run.c.state, run.c.updated_at)
Index("run_stop", run.c.id, sqlite_where=run.c.stop.is_not(None), postgresql_where=run.c.stop.is_not(None))
Index("run_subject", run.c.subject, postgresql_using="gin").ddl_if(dialect="postgresql")

run_request = Table(
    "run_request",
    metadata,
    Column("client", String(255), primary_key=True),
    Column("idempotency_key", String(255), primary_key=True),
    Column("fingerprint", String(255), nullable=False),
    Column("run_id", String(400), nullable=False, index=True),
    Column("created_at", BigInteger, nullable=False),
)

run_message = Table(
    "run_message",
    metadata,
    Column("run_id", String(400), primary_key=True),
    Column("once", String(300), primary_key=True),
    Column("topic", String(200), nullable=False),
    Column("body", _JSON, nullable=False),
    Column("delivered", Boolean, nullable=False),
    Column("created_at", BigInteger, nullable=False),
)
Index(
    "run_message_due",
    run_message.c.created_at,
    sqlite_where=run_message.c.delivered.is_(False),
    postgresql_where=run_message.c.delivered.is_(False),
)
