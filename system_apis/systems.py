"""The connected accounts of this deployment, each behind its guard, found by id and domain."""

from collections.abc import Mapping
from typing import Any, TypeVar

from contracts.ports.system import Billing, Crm, Erp
from kernel.problem import UnknownConnection

P = TypeVar("P")


class ConnectedSystems:
    """Implements the port `Systems` over guarded ports: (connection id, port protocol) -> implementation."""

    def __init__(self, ports: Mapping[tuple[str, type[Any]], Any]) -> None:
        self._ports = ports

    def crm(self, connection: str) -> Crm:
        return self._port(connection, Crm)

    def billing(self, connection: str) -> Billing:
        return self._port(connection, Billing)

    def erp(self, connection: str) -> Erp:
        return self._port(connection, Erp)

    def _port(self, connection: str, port: type[P]) -> P:
        found: P | None = self._ports.get((connection, port))
        if found is None:
            domain = port.__name__.lower()
            known = sorted(id for id, kind in self._ports if kind is port)
            raise UnknownConnection(
                f"there is no {domain} connection {connection!r}", field="connection",
                fix=f"use one of {', '.join(known)}" if known else f"add a {domain} connection to trivium.toml",
            )  # fmt: skip
        return found
