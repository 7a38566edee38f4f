"""The audit log in the database: rows are added, never changed, never deleted."""

from sqlalchemy import BigInteger, Column, String, Table, Text

from kernel.db import metadata

audit_entries = Table(
    "audit_entries",
    metadata,
    Column("chain", String(64), primary_key=True),
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("at", BigInteger, nullable=False, index=True),  # microseconds of Unix time; this and the next two are in `entry` too
    Column("client", String(255), nullable=False, index=True),
    Column("operation", String(255), nullable=False, index=True),
    Column("entry", Text, nullable=False),
    Column("seal", String(64), nullable=False),
)
