"""Where receipts are kept: on PostgreSQL beside our other tables, else in an SQLite file of their own that no order waits for."""

from sqlalchemy import BigInteger, Column, Integer, MetaData, String, Table, Text

metadata = MetaData()  # not kernel.db's: the tables may be made in another database than the rest

decisions = Table(
    "gateway_decisions",
    metadata,
    Column("request_id", String(64), primary_key=True),
    Column("at", BigInteger, nullable=False, index=True),  # milliseconds of Unix time
    Column("operation", String(200), nullable=False),
    Column("client", String(128), nullable=False),
    Column("partner", String(64), nullable=False),  # "": a client of our own house
    Column("status", Integer, nullable=False),
    Column("configuration", String(64), nullable=False),
    Column("told", Text, nullable=False),  # JSON: the rest of the receipt
)

# What is the same for every call of an operation under one configuration, once.
rules = Table(
    "gateway_decision_rules",
    metadata,
    Column("configuration", String(64), primary_key=True),
    Column("operation", String(200), primary_key=True),
    Column("at", BigInteger, nullable=False),  # when it was last written, for forgetting
    Column("told", Text, nullable=False),  # JSON
)
