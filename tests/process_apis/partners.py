"""Two partners and whom they see: `with harbor():` everything in it is done for a client of the one that sees Harbor."""

from collections.abc import Iterator
from contextlib import contextmanager

from kernel.context import Someone, caller
from tests.process_apis.platforms.crm import account_id

HARBOR, RHEINBLICK = (f"salesforce/{account_id(number)}" for number in ("ACC-1003", "ACC-1007"))


@contextmanager
def calling(*accounts: str, client: str = "harbor-portal", partner: str = "harbor") -> Iterator[None]:
    token = caller.set(Someone(client, frozenset(accounts), partner))
    try:
        yield
    finally:
        caller.reset(token)


@contextmanager
def harbor() -> Iterator[None]:
    with calling(HARBOR):
        yield


@contextmanager
def rheinblick() -> Iterator[None]:
    with calling(RHEINBLICK, client="rheinblick-portal", partner="rheinblick"):
        yield
