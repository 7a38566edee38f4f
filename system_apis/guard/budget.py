"""A budget says how many calls a connection may have under way, and how many it may begin a second."""

from typing import Protocol

from kernel.problem import PlatformBusy


class Budget(Protocol):
    """Places for calls under way, handed out first come, first served within a process."""

    async def enter(self, within: float) -> int:
        """Waits for a place at most `within` seconds, then raises PlatformBusy; a waiter that is cancelled takes none."""

    def leave(self, place: int) -> None:
        """Gives the place back; never waits."""


def no_place(connection: str) -> PlatformBusy:
    return PlatformBusy(f"the budget of {connection} was used up until the deadline", system=connection, retry_after=1)
