"""What is remembered of a call under an Idempotency-Key. Neither the key nor the caller is in it, and the answer is sealed.

A row is `running` while its call is, until its lease ends; `open` when nobody knows what became of the call or its answer is not
final; `done` when it was done, with the answer where it was kept. All times are milliseconds of Unix time.
"""

from sqlalchemy import BigInteger, Column, LargeBinary, String, Table

from kernel.db import metadata

RUNNING, OPEN, DONE = "running", "open", "done"

replays = Table(
    "gateway_replays",
    metadata,
    Column("id", String(64), primary_key=True),  # digest of caller, operation and key
    Column("fingerprint", String(64), nullable=False),  # digest of the request
    Column("state", String(8), nullable=False),
    Column("holder", String(32), nullable=False),  # the one call that may settle the row
    Column("claimed_at", BigInteger, nullable=False),
    Column("lease_until", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False, index=True),
    Column("sealed", LargeBinary),  # the answer; NULL: not kept
)
