"""Runs imitations, each a server of its own on its own loopback port with no path prefix."""

import asyncio
import contextlib
import importlib
import signal
from collections.abc import Mapping
from pathlib import Path

import uvicorn

from sandbox.control import Imitation, platform

# vendor -> usual port; the module sandbox.<vendor> offers `imitation(now) -> Imitation`
PORTS: Mapping[str, int] = {"salesforce": 12110, "stripe": 12111, "netsuite": 12112}


class UnknownVendor(ValueError):
    """There is no imitation of that vendor."""


def imitation(vendor: str) -> Imitation:
    """A fresh imitation of a vendor, in its seeded world."""
    if vendor not in PORTS:
        raise UnknownVendor(f"no sandbox for {vendor!r}; there are {', '.join(PORTS)}")
    made: Imitation = importlib.import_module(f"sandbox.{vendor}").imitation()
    return made


class Server(uvicorn.Server):
    """A uvicorn server that leaves signals to whoever runs several of them."""

    @contextlib.contextmanager
    def capture_signals(self):  # type: ignore[no-untyped-def]
        yield


def certificates(directory: Path | None, vendor: str) -> dict[str, str]:
    """Public keys that a vendor's imitation trusts from the start: `<vendor>.<key id>.pem` in a directory."""
    found = sorted(directory.glob(f"{vendor}.*.pem")) if directory else []
    return {file.name.removeprefix(f"{vendor}.").removesuffix(".pem"): file.read_text(encoding="ascii") for file in found}


def server(vendor: str, port: int, trusted: Path | None = None) -> Server:
    made = imitation(vendor)
    made.certificates.update(certificates(trusted, vendor))
    config = uvicorn.Config(
        platform(made), host="127.0.0.1", port=port, log_level="warning", access_log=False, timeout_graceful_shutdown=1
    )
    return Server(config)


async def serve(ports: Mapping[str, int], trusted: Path | None = None) -> None:
    """Serves the named vendors until SIGINT or SIGTERM."""
    servers = [server(vendor, port, trusted) for vendor, port in ports.items()]
    loop = asyncio.get_running_loop()

    def stop() -> None:
        for one in servers:
            one.should_exit = True

    for name in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(name, stop)
    await asyncio.gather(*(one.serve() for one in servers))
