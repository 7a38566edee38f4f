"""A write in doubt is looked up, for as long as it could still become visible, before anything is sent again."""

import asyncio
import math
from collections.abc import Awaitable, Callable
from datetime import timedelta

from contracts.models.base import Model
from contracts.ports.effects import Capability
from kernel.clock import Clock
from kernel.problem import OutcomeUnknown, Problem
from system_apis.guard.claim import Claim
from system_apis.guard.in_doubt import after_absence, needs_person

Sleep = Callable[[float], Awaitable[object]]


class LookUp:
    """The look-up of one create: `find` asks the platform by business key, through the guard."""

    def __init__(
        self, find: Callable[[Model], Awaitable[Model | None]], capability: Capability, clock: Clock, sleep: Sleep
    ) -> None:
        self._find, self._capability, self._clock, self._sleep = find, capability, clock, sleep

    async def __call__(self, claim: Claim, new: Model, ends: float) -> Model | None:
        """The object; or None when it may be sent again, the claim's key renewed if need be.

        Raises NeedsPerson when nothing can tell, OutcomeUnknown when it cannot be told before the monotonic time `ends`.
        """
        while True:
            begun = self._clock.now()
            found = await self.ask(claim, new, ends)
            if found is not None:
                return found
            resend = after_absence(self._capability, claim)
            if resend is None:
                raise needs_person(claim, "a look-up cannot tell")
            visible = (claim.in_doubt_since or begun) + timedelta(seconds=self._capability.look_up_lag)
            wait = (visible - begun).total_seconds() if resend.once_sure else 0
            if wait <= 0:
                if resend.new_key:
                    claim.renew_key()
                return None
            if self._clock.monotonic() + wait >= ends:
                raise outcome_unknown(claim.write.connection, f"{claim.write.business_key} may become visible later", wait)
            await self._sleep(wait)

    async def ask(self, claim: Claim, new: Model, ends: float) -> Model | None:
        """One look. Raises OutcomeUnknown when it could not be made now, NeedsPerson when it cannot be made at all."""
        connection, key = claim.write.connection, claim.write.business_key
        try:
            async with asyncio.timeout(ends - self._clock.monotonic()):
                return await self._find(new)
        except TimeoutError:
            raise outcome_unknown(connection, f"{key} could not be looked up in time", 1) from None
        except Problem as problem:
            if problem.retryable:
                raise outcome_unknown(
                    connection, f"{key} cannot be looked up: {problem.detail}", problem.retry_after or 1
                ) from problem
            raise needs_person(claim, f"the look-up failed: {problem.detail}") from problem


def outcome_unknown(connection: str, detail: str, seconds: float) -> OutcomeUnknown:
    """To be tried again after so many seconds."""
    return OutcomeUnknown(f"{connection}: {detail}", system=connection, retry_after=max(1, math.ceil(seconds)))
