"""What the pages need of the house they are in: the catalog, who reads, and tokens for trying things out."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

from governance.catalog.catalog import Catalog
from governance.catalog.reader import Reader, reader_for

Limits = Callable[[str, str], Mapping[str, Sequence[str]]]


@runtime_checkable
class Holder(Protocol):
    """Whoever a token proves, as far as the catalog asks."""

    @property
    def client(self) -> str: ...

    @property
    def scopes(self) -> frozenset[str]: ...

    @property
    def accounts(self) -> frozenset[str] | None: ...

    @property
    def partner(self) -> str: ...

    @property
    def expires_at(self) -> int: ...


@dataclass(frozen=True)
class Token:
    """A token for the sandbox; `lifetime` in seconds."""

    access_token: str
    scopes: tuple[str, ...]
    lifetime: int


@dataclass(frozen=True)
class Login:
    """Signing in at the authorization server. `exchange`: of the code and the verifier for an access token.

    Raises Unauthorized where the server does not give one.
    """

    client_id: str
    authorize: str  # the URL of the authorization endpoint
    exchange: Callable[[str, str, str], Awaitable[str]]  # code, verifier, redirect URI


def _no_limits(method: str, path: str) -> Mapping[str, Sequence[str]]:
    return {}


@dataclass(frozen=True)
class Desk:
    """`url`: where callers reach the gateway. `open`: whether anybody sees everything. `prove`: who holds a token; raises
    Unauthorized. `issue`: a token for the sandbox; None where nothing here is one. `limits`: in force, by plan, in words.
    """

    url: str
    catalog: Callable[[], Awaitable[Catalog]]
    prove: Callable[[bytes], Awaitable[Holder]]
    open: bool = False
    issue: Callable[[], Awaitable[Token]] | None = None
    login: Login | None = None
    limits: Limits = _no_limits
    seconds: Callable[[], float] = field(default=lambda: 0.0)  # Unix time

    @property
    def secure(self) -> bool:
        return self.url.startswith("https://")


def reader_of(holder: Holder) -> Reader:
    return reader_for(holder.scopes, restricted=bool(holder.partner) or holder.accounts is not None)
