"""The table of writes and the states they pass: intended → sent → confirmed | rejected | unknown."""

from datetime import UTC, datetime
from enum import StrEnum

from sqlalchemy import JSON, Boolean, Column, DateTime, Index, Integer, String, Table, Text

from kernel.db import metadata


class State(StrEnum):
    """What we know of a write. SENT without a live owner is as good as UNKNOWN: someone died over it."""

    INTENDED = "intended"  # nothing of it has reached the platform
    SENT = "sent"
    CONFIRMED = "confirmed"
    REJECTED = "rejected"
    UNKNOWN = "unknown"


_INSTANT = DateTime(timezone=True)  # UTC; SQLite gives it back without the zone, see aware()
_JSON = JSON(none_as_null=True)

outbound_write = Table(
    "outbound_write",
    metadata,
    Column("connection", String(40), primary_key=True),
    Column("operation", String(80), primary_key=True),
    Column("business_key", String(160), primary_key=True),
    Column("fingerprint", String(64), nullable=False),  # SHA-256 of the content last sent
    Column("idempotency_key", Text, nullable=False),  # as the caller gave it, see Claim.platform_key
    Column("generation", Integer, nullable=False),
    Column("state", String(10), nullable=False),
    Column("doubtful", Boolean, nullable=False),  # an attempt, not necessarily the last, ended without an outcome
    Column("in_doubt_since", _INSTANT),
    Column("failures", Integer, nullable=False),  # failures that the platform answered with, under this generation's key
    Column("attempts", Integer, nullable=False),
    Column("owner", String(80)),
    Column("lease_until", _INSTANT),
    Column("result", _JSON),
    Column("problem", _JSON),
    Column("correlation_id", String(128), nullable=False),
    Column("created_at", _INSTANT, nullable=False),
    Column("updated_at", _INSTANT, nullable=False),
)

# Operators ask for what is in doubt; nearly no row is, so the index is nearly free.
Index(
    "outbound_write_in_doubt",
    outbound_write.c.updated_at,
    sqlite_where=outbound_write.c.state == "unknown",
    postgresql_where=outbound_write.c.state == "unknown",
)


def aware(instant: datetime) -> datetime:
    """The instant in UTC, whichever database it came from."""
    return instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)
