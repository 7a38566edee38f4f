"""What is kept of actual use: one row for each day, client, operation, version and top-level field."""

from sqlalchemy import BigInteger, Column, String, Table

from kernel.db import metadata

field_use = Table(
    "field_use_by_day",
    metadata,
    Column("day", String(10), primary_key=True),  # UTC, as RFC 3339 has it
    Column("client", String(255), primary_key=True),
    Column("partner", String(64), primary_key=True),  # "": a client of our own house
    Column("operation", String(255), primary_key=True),
    Column("version", String(32), primary_key=True),  # of the contract
    Column("part", String(16), primary_key=True),  # call | query | request | response
    Column("field", String(255), primary_key=True),  # "" of a call itself; "*": a name that the contract does not know
    Column("calls", BigInteger, nullable=False),  # of those that were looked at
)
