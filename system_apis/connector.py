"""What every vendor's package hands over: the ports it serves, how its creates can be repeated, and how to close it."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from pydantic import SecretStr

from contracts.ports.effects import Capability
from kernel.clock import Clock, SystemClock
from kernel.secrets import SecretRef
from kernel.settings import Connection


@dataclass(frozen=True)
class Connector:
    """A live connection to one account of one vendor.

    `ports` maps a port protocol (Crm, Billing, Erp) to its implementation; `capabilities` names every `creates` method of them.
    `probe` makes one cheap authenticated call, raising a Problem when the platform cannot be used.
    """

    connection: str
    vendor: str
    ports: Mapping[type[Any], Any]
    capabilities: Mapping[str, Capability]
    probe: Callable[[], Awaitable[None]]
    close: Callable[[], Awaitable[None]]


class Connect(Protocol):
    """A vendor's entry in the registry: `system_apis.connectors.<vendor>.connect`."""

    def __call__(self, connection: Connection, secrets: "Secrets", clock: Clock = SystemClock()) -> Connector: ...


class MissingCredential(ValueError):
    """A connection lacks a credential that its vendor needs; the message names both."""


class Secrets:
    """The credentials of one connection; resolved when asked for, so a rotated file takes effect at the next token."""

    def __init__(self, connection: Connection, relative_to: Path = Path()) -> None:
        self._connection, self._relative_to = connection, relative_to

    def text(self, name: str) -> str:
        """A credential that is no secret, such as a client id; raises MissingCredential."""
        value = self._connection.credentials.get(name)
        if value is None:
            raise MissingCredential(f"connection {self._connection.id!r}: set credentials.{name}")
        return value.resolve(self._relative_to).get_secret_value() if isinstance(value, SecretRef) else value

    def secret(self, name: str) -> SecretStr:
        """A secret credential; given in plain text in the settings it is refused: it must be a reference."""
        value = self._connection.credentials.get(name)
        if not isinstance(value, SecretRef):
            raise MissingCredential(f"connection {self._connection.id!r}: credentials.{name} must name a file or a variable")
        return value.resolve(self._relative_to)

    def has(self, name: str) -> bool:
        return name in self._connection.credentials
