"""The tables of master data. Cross-references are unique both ways; mappings are never overwritten, only ended."""

from sqlalchemy import Column, Date, DateTime, Index, Integer, String, Table, UniqueConstraint

from kernel.db import metadata

mapping = Table(
    "mapping",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("kind", String(20), nullable=False),
    Column("connection", String(40), nullable=False),
    Column("source", String(500), nullable=False),
    Column("target", String(500), nullable=False),
    Column("valid_from", Date, nullable=False),
    Column("valid_to", Date),
    Column("author", String(255), nullable=False),
    Column("recorded_at", DateTime(timezone=True), nullable=False),
    UniqueConstraint("kind", "connection", "source", "valid_from"),
)

cross_reference = Table(
    "cross_reference",
    metadata,
    Column("connection", String(40), primary_key=True),
    Column("kind", String(64), primary_key=True),
    Column("key", String(160), primary_key=True),
    Column("external_id", String(128), nullable=False),
    Column("recorded_at", DateTime(timezone=True), nullable=False),
    UniqueConstraint("connection", "kind", "external_id"),
    Index("cross_reference_key", "key"),
)

attribute = Table(
    "customer_attribute",
    metadata,
    Column("key", String(160), primary_key=True),
    Column("name", String(64), primary_key=True),
    Column("value", String(500)),
    Column("set_by", String(40), nullable=False),
    Column("set_at", DateTime(timezone=True), nullable=False),
)

proposal = Table(
    "customer_proposal",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("key", String(160), nullable=False, index=True),
    Column("name", String(64), nullable=False),
    Column("value", String(500)),
    Column("proposed_by", String(40), nullable=False),
    Column("proposed_at", DateTime(timezone=True), nullable=False),
    UniqueConstraint("key", "name", "proposed_by"),
)
