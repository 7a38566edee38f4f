"""`trivium up`: starts every process of a deployment on this machine, keeps each alive, and stops them together."""

import asyncio
import contextlib
import os
import signal
import socket
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from time import monotonic

import httpx

from kernel.settings import FILE_VARIABLE, BadSettings, Settings, settings_file
from trivium.demo import certificates_of

FIRST_PAUSE, LONGEST_PAUSE = 0.2, 10.0  # seconds between restarts of a process that keeps ending
SETTLED = 20.0  # seconds after which a process counts as well started


@dataclass
class Member:
    """One process: its command, and the page that says it is ready (none: it is ready when it runs)."""

    name: str
    arguments: Sequence[str]
    ready: str | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    process: asyncio.subprocess.Process | None = None


class NotReady(RuntimeError):
    """A process did not become ready in time, or ended at once."""


class Supervisor:
    """Starts members in order, each when those before it are ready; restarts what ends without being told to."""

    def __init__(self, members: Sequence[Member]) -> None:
        self._members = members
        self._stopping = False
        self._watches: list[asyncio.Task[None]] = []

    async def start(self, within: float = 60.0) -> None:
        """Raises NotReady, everything stopped again."""
        try:
            for member in self._members:
                await self._spawn(member)
                await _until_ready(member, within)
                self._watches.append(asyncio.create_task(self._keep(member)))
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        """Last started, first stopped; what does not stop in time is killed."""
        self._stopping = True
        for watch in self._watches:
            watch.cancel()
        for member in reversed(self._members):
            process = member.process
            if process is None or process.returncode is not None:
                continue
            process.send_signal(signal.SIGTERM)
            try:
                await asyncio.wait_for(process.wait(), 15)
            except TimeoutError:
                process.kill()
                await process.wait()

    async def _spawn(self, member: Member) -> None:
        command = [sys.executable, "-m", "trivium", *member.arguments]
        environment = {**os.environ, **member.environment}
        # a session of its own: Ctrl-C reaches the supervisor alone, which then stops its members in order
        member.process = await asyncio.create_subprocess_exec(*command, env=environment, start_new_session=True)

    async def _keep(self, member: Member) -> None:
        pause = FIRST_PAUSE
        while not self._stopping and member.process is not None:
            begun = monotonic()
            code = await member.process.wait()
            if self._stopping:
                return
            pause = FIRST_PAUSE if monotonic() - begun > SETTLED else min(pause * 2, LONGEST_PAUSE)
            print(f"trivium: {member.name} ended ({code}); starting it again in {pause:.1f} s", file=sys.stderr)  # noqa: T201
            await asyncio.sleep(pause)
            await self._spawn(member)


async def _until_ready(member: Member, within: float) -> None:
    if member.ready is None or member.process is None:
        return
    ends = monotonic() + within
    async with httpx.AsyncClient(timeout=2, trust_env=False) as client:
        while monotonic() < ends:
            if member.process.returncode is not None:
                raise NotReady(f"{member.name} ended at once ({member.process.returncode}); see its message above")
            with contextlib.suppress(httpx.HTTPError):
                if (await client.get(member.ready)).status_code < 400:
                    return
            await asyncio.sleep(0.05)
    raise NotReady(f"{member.name} is not ready after {within:g} s ({member.ready})")


def members(settings: Settings, *, split: bool, workers: int) -> list[Member]:
    """The processes of this deployment. Raises BadSettings where a port is taken or the database cannot be shared."""
    if workers and settings.embedded:
        raise BadSettings("more workers need a database they can share: set TRIVIUM_DATABASE_URL to a PostgreSQL URL")
    url, port = settings.server.url, settings.server.port
    found = [_sandbox(settings)] if settings.sandbox.ports else []
    ready = f"http://{settings.server.host}:{port}/health/ready"
    if split:
        ports = dict(zip(("system", "process", "experience"), _free_ports(3), strict=True))
        known = {f"TRIVIUM_SPLIT__{layer.upper()}": f"http://127.0.0.1:{at}" for layer, at in ports.items()}
        for layer, at in ports.items():
            layer_ready = f"http://127.0.0.1:{at}/health/ready"
            found.append(Member(layer, ["serve", "--part", layer, "--port", str(at)], layer_ready, known))
        found.append(Member("gateway", ["serve", "--part", "gateway", "--port", str(port)], ready, known))
    else:
        found.append(Member("trivium", ["serve", "--port", str(port)], ready))
    _refuse_taken([port, *settings.sandbox.ports.values()])
    found += [Member(f"worker {number + 1}", ["serve", "--part", "worker"]) for number in range(workers)]
    environment = {"TRIVIUM_SERVER__PORT": str(port), "TRIVIUM_SERVER__PUBLIC_URL": url}
    file = settings_file()
    if file is not None:
        environment[FILE_VARIABLE] = str(file.absolute())
    for member in found:
        member.environment = {**member.environment, **environment}
    return found


def _sandbox(settings: Settings) -> Member:
    ports = settings.sandbox.ports
    arguments = [f"--serve={vendor}={port}" for vendor, port in ports.items()]
    certificates = str(certificates_of(settings))
    last = list(ports.values())[-1]
    return Member(
        "sandbox", ["sandbox", *arguments, "--certificates", certificates], f"http://127.0.0.1:{last}/__sandbox__/faults"
    )


def _refuse_taken(ports: Sequence[int]) -> None:
    for port in ports:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                fix = "stop what uses it, or choose another in trivium.toml or with --port"
                raise BadSettings(f"port {port} is taken: {fix}") from None


def _free_ports(count: int) -> list[int]:
    probes = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [int(probe.getsockname()[1]) for probe in probes]
    for probe in probes:
        probe.close()
    return ports
