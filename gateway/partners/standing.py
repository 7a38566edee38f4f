"""How a partner stands, as every process knows it within a second of a change (`gateway.oauth.trust` polls for it)."""

import json
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.partners.tables import partners


class PartnerStanding(NamedTuple):
    """What is beyond `accounts` is closed to the partner's clients and its people, whatever their tokens say.

    `refuse_until`: tokens issued at or before this moment are dead.
    """

    active: bool
    accounts: frozenset[str]
    refuse_until: int

    def allows(self, issued_at: int) -> bool:
        """Whether a token issued then may still be used; one of which nobody knows when is judged by the rest."""
        return self.active and not 0 < issued_at <= self.refuse_until


async def changed_since(connection: AsyncConnection, epoch: int) -> dict[str, PartnerStanding]:
    """The partners whose rows were stamped after that epoch."""
    rows = await connection.execute(select(partners).where(partners.c.epoch > epoch))
    return {
        row.id: PartnerStanding(row.state == "active", frozenset(json.loads(row.accounts)), row.refuse_until or 0) for row in rows
    }
