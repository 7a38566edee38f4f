"""The vendors we can connect to, one line each; a vendor's code is imported when its first connection is opened."""

import importlib
from collections.abc import Mapping

from kernel.clock import Clock, SystemClock
from kernel.settings import BadSettings, Connection
from system_apis.connector import Connect, Connector, Secrets

VENDORS: Mapping[str, str] = {
    "salesforce": "system_apis.connectors.salesforce",
    "stripe": "system_apis.connectors.stripe",
    "netsuite": "system_apis.connectors.netsuite",
}


def connect(connection: Connection, secrets: Secrets, clock: Clock = SystemClock()) -> Connector:
    """A live connector for a configured connection; raises BadSettings for a vendor that is not listed here."""
    module = VENDORS.get(connection.vendor)
    if module is None:
        known = ", ".join(sorted(VENDORS))
        raise BadSettings(f"connection {connection.id!r}: there is no vendor {connection.vendor!r}; use one of {known}")
    opened: Connect = importlib.import_module(module).connect
    return opened(connection, secrets, clock)
