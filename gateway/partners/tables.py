"""What is kept of partners, and how often each was served. All times are whole seconds of Unix time.

A row of `partners` is stamped with the epoch of the authorization server (`gateway.oauth.tables`), so that the poll which every
process makes for revoked tokens brings changes of partners too.
"""

from sqlalchemy import BigInteger, Column, Integer, String, Table, Text

from kernel.db import metadata

partners = Table(
    "partners",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("name", Text, nullable=False),
    Column("plan", String(64), nullable=False),
    Column("accounts", Text, nullable=False),  # a JSON array of "connection/account_id", sorted
    Column("contact", Text, nullable=False),
    Column("state", String(16), nullable=False),  # active | suspended | closed
    Column("reason", Text),  # why it is not active
    Column("refuse_until", BigInteger),  # tokens of its clients and people issued at or before this moment are dead
    Column("stopped_clients", Text),  # a JSON array: those that were open when it was suspended, to be opened again
    Column("epoch", BigInteger, nullable=False, index=True),
    Column("created_at", BigInteger, nullable=False),
    Column("changed_at", BigInteger, nullable=False),
)

usage = Table(
    "usage_by_day",
    metadata,
    Column("day", String(10), primary_key=True),  # UTC, as RFC 3339 has it
    Column("client", String(255), primary_key=True),
    Column("partner", String(64), primary_key=True),  # "": a client of our own house
    Column("operation", String(255), primary_key=True),
    Column("status", Integer, primary_key=True),  # 2 for 2xx; 0: the caller left before it was answered
    Column("calls", BigInteger, nullable=False),
)
