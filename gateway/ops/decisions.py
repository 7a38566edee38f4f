"""Receipts over the gateway's own API: what was decided about a call, and why."""

import asyncio
from typing import Annotated

from fastapi import Path

from contracts.models.receipt import Receipt
from gateway.house import House
from kernel.api import Api
from kernel.context import Principal, caller
from kernel.problem import NotFound
from kernel.tenancy import FILTERED

RequestId = Annotated[str, Path(min_length=8, max_length=64, pattern=r"^[0-9a-f]+$")]


def declare_decisions(api: Api, house: House) -> None:
    @api.get("/decisions/{request_id}", scope="gateway:read", tenancy=FILTERED, audience="partner")
    async def get_decision(request_id: RequestId) -> Receipt:
        """The receipt of one call, under the X-Request-Id of its answer. Partners see those of their own calls."""
        log = house.decisions
        found = None if log is None else await asyncio.to_thread(log.find, request_id)
        asking = caller.get()
        if found is None or not _may_see(asking, found[0], found[1]):
            raise no_receipt(request_id, house.settings.decisions.keep_days)
        return found[0]


def no_receipt(request_id: str, days: float) -> NotFound:
    """Says how long receipts are kept; the same for one that is gone, one that never was, and one that is another's."""
    kept = f"{days:g} day{'' if days == 1 else 's'}"
    return NotFound(
        f"there is no receipt {request_id}: receipts are kept for {kept}, and of successes only as many as the settings say",
        fix="use the X-Request-Id of an answer that is not older than that",
    )


def _may_see(asking: Principal, found: Receipt, partner: str) -> bool:
    """Partners those of all their clients, whoever else is restricted its own."""
    if asking.partner:
        return partner == asking.partner
    return asking.accounts is None or (found.token is not None and found.token.client == asking.client)
