"""One upstream address: its connections, its condition, and how many calls are under way there."""

import asyncio
import ssl
from dataclasses import dataclass
from urllib.parse import urlsplit

from gateway.upstreams.condition import Condition, Now
from gateway.upstreams.connection import Connection
from gateway.upstreams.failures import Unreachable
from gateway.upstreams.pool import Pool
from kernel.sections.services import Connections, Ejection

PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True)
class Address:
    """Where an upstream is. `path` is what its paths begin with, without a slash at its end."""

    scheme: str
    host: str
    port: int
    path: str

    @classmethod
    def of(cls, url: str) -> "Address":
        parts = urlsplit(url)
        return cls(parts.scheme, parts.hostname or "", parts.port or PORTS[parts.scheme], parts.path.rstrip("/"))

    @property
    def authority(self) -> str:
        """As the Host header has it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if PORTS[self.scheme] == self.port else f"{host}:{self.port}"

    @property
    def origin(self) -> str:
        return f"{self.scheme}://{self.authority}"


class Endpoint:
    """`under_way`: calls; `answered` and `failed`: how they ended so far."""

    __slots__ = ("address", "answered", "condition", "failed", "host", "path", "pool", "under_way")

    def __init__(self, address: Address, pool: Pool, condition: Condition) -> None:
        self.address, self.pool, self.condition = address, pool, condition
        self.host, self.path = address.authority.encode("ascii"), address.path.encode("ascii")
        self.under_way = self.answered = self.failed = 0


def endpoint(url: str, connections: Connections, ejection: Ejection, now: Now, tls: ssl.SSLContext | None = None) -> Endpoint:
    """`tls`: for https, the system's trust if none is given."""
    address = Address.of(url)
    context = (tls or ssl.create_default_context()) if address.scheme == "https" else None

    async def connect() -> Connection:
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(connections.connect):
                _, connection = await loop.create_connection(Connection, address.host, address.port, ssl=context)
        except (OSError, TimeoutError) as error:
            raise Unreachable(type(error).__name__) from None
        return connection

    pool = Pool(connect, most=connections.most, waiting=connections.waiting, keep=connections.keep)
    return Endpoint(address, pool, Condition(ejection, now))
