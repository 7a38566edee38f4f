"""Processes of ours started for a measurement, on ports and a data directory of their own, and stopped with it."""

import asyncio
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from uuid import uuid4

import httpx
import psycopg

from kernel.settings import FILE_VARIABLE, Settings, load
from trivium.demo import certificates_of, prepare

ROOT = Path(__file__).parent.parent
VENDORS = ("salesforce", "stripe", "netsuite")
USUAL_PORTS = ("12110", "12111", "12112", "8080")
POSTGRES = os.environ.get("TRIVIUM_TEST_POSTGRES", "postgresql://postgres@127.0.0.1:5432/postgres")


@dataclass(frozen=True)
class Place:
    """Where one deployment lives: its settings file and environment, its ports."""

    environment: Mapping[str, str]
    ports: Sequence[int]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.ports[-1]}"

    def platform(self, vendor: str) -> str:
        return f"http://127.0.0.1:{self.ports[VENDORS.index(vendor)]}"

    def settings(self) -> Settings:
        """As a process of this place reads them; this process becomes one, too."""
        os.environ.update(self.environment)
        return load()

    @asynccontextmanager
    async def running(self, *arguments: str) -> AsyncIterator[asyncio.subprocess.Process]:
        """A trivium command while it is needed."""
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "trivium", *arguments, cwd=ROOT, env={**os.environ, **self.environment},
            stdout=asyncio.subprocess.DEVNULL,
        )  # fmt: skip
        try:
            yield process
        finally:
            with suppress(ProcessLookupError):
                process.send_signal(signal.SIGTERM)
            await process.wait()

    @asynccontextmanager
    async def sandbox(self) -> AsyncIterator[None]:
        """The three imitations, in one process."""
        settings = self.settings()
        prepare(settings)
        at = [f"--serve={vendor}={port}" for vendor, port in zip(VENDORS, self.ports, strict=False)]
        async with self.running("sandbox", *at, "--certificates", str(certificates_of(settings))) as process:
            for vendor in VENDORS:
                await answers(f"{self.platform(vendor)}/__sandbox__/faults", process)
            yield


def place(folder: str) -> Place:
    """The example's settings, everything on free ports and in this folder."""
    ports, text = _free_ports(len(USUAL_PORTS)), (ROOT / "trivium.example.toml").read_text(encoding="utf-8")
    for usual, port in zip(USUAL_PORTS, ports, strict=True):
        text = text.replace(usual, str(port))
    file = Path(folder) / "trivium.toml"
    file.write_text(text.replace('"mappings.example.toml"', f'"{ROOT / "mappings.example.toml"}"'), encoding="utf-8")
    environment = {FILE_VARIABLE: str(file), "TRIVIUM_DATA": str(Path(folder) / "data"), "TRIVIUM_TELEMETRY__LOG_LEVEL": "error"}
    return Place(environment, ports)


async def answers(url: str, process: asyncio.subprocess.Process, headers: Mapping[str, str] | None = None) -> float:
    """When (on `perf_counter`) the URL was first answered 200, asked again and again; raises when the process has ended."""
    limits = httpx.Limits(max_keepalive_connections=0)
    async with httpx.AsyncClient(timeout=5, trust_env=False, limits=limits, headers=headers) as client:
        while process.returncode is None:
            with suppress(httpx.TransportError):
                response = await client.get(url)
                if response.status_code == 200:
                    return perf_counter()
                if 400 <= response.status_code < 500:
                    raise RuntimeError(f"{url}: {response.text}")
            await asyncio.sleep(0.005)
    raise RuntimeError(f"the process of {url} ended with {process.returncode}")


@contextmanager
def fresh_postgres() -> Iterator[str]:
    """The URL of a database of its own, dropped at the end. Raises psycopg.OperationalError when no server answers."""
    name = f"trivium_bench_{uuid4().hex[:12]}"
    with psycopg.connect(POSTGRES, autocommit=True, connect_timeout=3) as server:
        server.execute(f'create database "{name}"'.encode())
    try:
        yield f"{POSTGRES.rpartition('/')[0]}/{name}"
    finally:
        with psycopg.connect(POSTGRES, autocommit=True) as server:
            server.execute(f'drop database if exists "{name}" with (force)'.encode())


def _free_ports(count: int) -> list[int]:
    probes = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [int(probe.getsockname()[1]) for probe in probes]
    for probe in probes:
        probe.close()
    return ports
