"""What travels with a piece of work without being passed: whose it is, and under which id it can be followed."""

from contextvars import ContextVar
from dataclasses import dataclass
from typing import Protocol


class Principal(Protocol):
    """Whoever work is done for. `accounts` None: everything; otherwise nothing but these, as "connection/account_id"."""

    @property
    def client(self) -> str: ...

    @property
    def accounts(self) -> frozenset[str] | None: ...

    @property
    def partner(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Someone:
    """A principal of whom no more is known than that; client "": nobody asked, the work is our own."""

    client: str = ""
    accounts: frozenset[str] | None = None
    partner: str = ""


NOBODY = Someone()
correlation_id: ContextVar[str] = ContextVar("correlation_id", default="")
caller: ContextVar[Principal] = ContextVar("caller", default=NOBODY)


def restricted() -> bool:
    """Whether the work is done for somebody who may see certain accounts only."""
    return caller.get().accounts is not None


def may_see(account: str) -> bool:
    """Whether the account, as "connection/account_id", is open to whoever the work is done for."""
    accounts = caller.get().accounts
    return accounts is None or account in accounts
