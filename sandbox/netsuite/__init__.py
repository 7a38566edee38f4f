"""NetSuite on this machine: SuiteTalk REST record/v1, query/v1 and async/v1 for one seeded account, TRIV_SB1."""

from sandbox.netsuite.app import Clock, NetSuite, utc_now


def imitation(clock: Clock = utc_now) -> NetSuite:
    """A fresh account; `clock` says what time it is there."""
    return NetSuite(clock)
