"""Each method of each port of each vendor that the suite can connect to: what the tests are run over."""

import importlib
import importlib.util
from dataclasses import dataclass
from typing import Any

from contracts.ports.effects import Creates, Effect, Reads, effects
from system_apis import registry
from tests.conformance.platform import Platform
from tests.conformance.sandboxed import Sandbox


@dataclass(frozen=True)
class Operation:
    """One method of one port of one vendor."""

    platform: Platform
    port: type[Any]
    name: str
    effect: Effect

    def __str__(self) -> str:
        return f"{self.platform.vendor}-{self.port.__name__.lower()}-{self.name}"

    @property
    def writes(self) -> bool:
        return not isinstance(self.effect, Reads)

    @property
    def creates(self) -> bool:
        return isinstance(self.effect, Creates)

    def aim(self) -> dict[str, str]:
        """Where a fault hits the request by which this method writes; for a reading method, its first request."""
        if not self.writes:
            return {}
        write = self.platform.writes[self.name]
        return {"method": write.method, "path": write.path}

    @property
    def sent(self) -> int:
        """How often the write goes out when connections break: the transport itself repeats a PUT or DELETE once."""
        return 2 if self.platform.writes[self.name].method in ("PUT", "DELETE") else 1

    def made(self, sandbox: Sandbox) -> int:
        """How many records of the kind that this method creates the platform has."""
        return len(sandbox.records(self.platform.writes[self.name].kind))


def platforms() -> list[Platform]:
    """The vendors of the registry that are described in `platforms/<vendor>.py`."""
    places = [f"tests.conformance.platforms.{vendor}" for vendor in registry.VENDORS]
    return [importlib.import_module(place).platform for place in places if importlib.util.find_spec(place)]


OPERATIONS = [Operation(one, port, name, how) for one in platforms() for port in one.ports for name, how in effects(port).items()]
WRITES = [one for one in OPERATIONS if one.writes]
CREATES = [one for one in OPERATIONS if one.creates]
