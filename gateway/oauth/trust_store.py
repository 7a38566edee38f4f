"""The shared half of trust: one transaction reads whatever changed since an epoch, and nothing when the epoch stands still."""

import json
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

from sqlalchemy import Row, delete, insert, select
from sqlalchemy.exc import IntegrityError

from gateway.oauth.keys import KeyStore, SigningKey
from gateway.oauth.tables import clients, current_epoch, next_epoch, revoked_tokens
from gateway.partners.standing import PartnerStanding, changed_since
from kernel.clock import Clock
from kernel.db import Database

KEPT_BEYOND = 120  # seconds a revocation outlives its token, for clocks that differ


class Standing(NamedTuple):
    """How a client stands. `refuse_until`: tokens issued at or before this moment are dead. `addresses` None: from anywhere."""

    active: bool
    refuse_until: int
    addresses: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Reading:
    """What is new since the epoch asked about; `keys` None: nothing is."""

    epoch: int
    keys: dict[str, SigningKey] | None = None
    revoked: dict[str, int] = field(default_factory=dict)  # token id -> when it expires
    standing: dict[str, Standing] = field(default_factory=dict)  # of the clients that changed
    partners: dict[str, PartnerStanding] = field(default_factory=dict)  # that changed


class Shared(Protocol):
    """Where all processes of a deployment keep what they must agree on."""

    async def read(self, since: int) -> Reading: ...

    async def revoke(self, token_id: str, expires_at: int) -> None: ...


class TrustStore:
    """It, in the database."""

    def __init__(self, database: Database, keys: KeyStore, clock: Clock) -> None:
        self._database, self._keys, self._clock = database, keys, clock

    async def read(self, since: int) -> Reading:
        # The epoch is read first: what is written meanwhile has a later one, and is read again next time.
        async with self._database.reading() as connection:
            epoch = await current_epoch(connection)
            if epoch == since:
                return Reading(epoch)
            keys = await self._keys.load(connection)
            revoked = await connection.execute(select(revoked_tokens).where(revoked_tokens.c.epoch > since))
            changed = await connection.execute(select(clients).where(clients.c.epoch > since))
            standing = {row.id: _standing(row) for row in changed}
            partners = await changed_since(connection, since)
            return Reading(epoch, keys, {row.token_id: row.expires_at for row in revoked}, standing, partners)

    async def revoke(self, token_id: str, expires_at: int) -> None:
        """Calls a token back for every process; a second time changes nothing. Forgets what could not matter any more."""
        now = int(self._clock.now().timestamp())
        try:
            async with self._database.transaction() as connection:
                epoch = await next_epoch(connection)
                await connection.execute(delete(revoked_tokens).where(revoked_tokens.c.expires_at < now - KEPT_BEYOND))
                await connection.execute(insert(revoked_tokens).values(token_id=token_id, expires_at=expires_at, epoch=epoch))
        except IntegrityError:
            return


def _standing(row: Row[Any]) -> Standing:
    return Standing(row.active, row.refuse_until, None if row.addresses is None else tuple(json.loads(row.addresses)))
