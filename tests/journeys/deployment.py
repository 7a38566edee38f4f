"""A whole deployment on this machine for a test: its own ports, data directory and database; processes are started and killed.

Every process is known by its id, and `stop` ends every process that works on this deployment's data, whoever started it.
"""

import asyncio
import os
import re
import signal
import socket
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from time import monotonic

import httpx

from kernel.settings import Sandbox, Settings
from trivium.demo import certificates_of, prepare

ROOT = Path(__file__).parent.parent.parent
VENDORS = ("salesforce", "stripe", "netsuite")
USUAL_PORTS = ("12110", "12111", "12112", "8080")
# A test waits for nothing it need not; a connection that is left to itself is soon tried again.
IMPATIENT = (
    "{ deadline = 2.0, attempts = 4, first_pause = 0.02, longest_pause = 0.2, breaker_failures = 1000, breaker_seconds = 0.3 }"
)


def free_ports(count):
    probes = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [probe.getsockname()[1] for probe in probes]
    for probe in probes:
        probe.close()
    return ports


def settings_file(folder, ports, patience=IMPATIENT):
    """The example's settings with this deployment's ports, and with this patience on every connection."""
    text = (ROOT / "trivium.example.toml").read_text()
    for usual, port in zip(USUAL_PORTS, ports, strict=True):
        text = text.replace(usual, str(port))
    text = text.replace('"mappings.example.toml"', f'"{ROOT / "mappings.example.toml"}"')
    if patience:
        text = re.sub(r"^patience = .*\n", "", text, flags=re.MULTILINE)
        generous = "{ concurrency = 20, per_second = 1000, burst = 1000 }"
        text = re.sub(r"^budget = .*$", f"budget = {generous}\npatience = {patience}", text, flags=re.MULTILINE)
    file = Path(folder) / "trivium.toml"
    file.write_text(text)
    return file


class Deployment:
    """Processes by name. `environment` goes to each of them; `patience` None leaves the connections as the example has them."""

    def __init__(self, folder, environment: Mapping[str, str] | None = None, patience=IMPATIENT):
        self.folder = Path(folder)
        *self.vendor_ports, self.port = free_ports(4)
        self.file = settings_file(folder, (*self.vendor_ports, self.port), patience)
        self.data = self.folder / "data"
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("TRIVIUM_")},
            "TRIVIUM_CONFIG": str(self.file),
            "TRIVIUM_DATA": str(self.data),
            "TRIVIUM_TELEMETRY__LOG_LEVEL": "error",
            **(environment or {}),
        }
        self.url = f"http://127.0.0.1:{self.port}"
        self.processes = {}

    def platform(self, vendor):
        return f"http://127.0.0.1:{self.vendor_ports[VENDORS.index(vendor)]}"

    async def run(self, *arguments, within=120):
        """Runs a trivium command to its end; answers its exit code and what it printed."""
        process = await self._spawn(arguments, output=asyncio.subprocess.PIPE)
        self.processes[f"run {process.pid}"] = process
        said, _ = await asyncio.wait_for(process.communicate(), within)
        return process.returncode, said.decode()

    async def start(self, name, *arguments, ready=None, environment=None):
        with (self.folder / f"{name}.log").open("ab") as log:
            process = self.processes[name] = await self._spawn(arguments, log, environment)
        if ready:
            await self.until_answers(ready, process, name)
        return process

    async def start_sandbox(self):
        """The three platforms, as `trivium up` would start them."""
        settings = Settings.model_construct(data=self.data, sandbox=Sandbox())
        prepare(settings)
        arguments = [f"--serve={vendor}={port}" for vendor, port in zip(VENDORS, self.vendor_ports, strict=True)]
        certificates = ["--certificates", str(certificates_of(settings))]
        await self.start("sandbox", "sandbox", *arguments, *certificates, ready=f"{self.platform('netsuite')}/__sandbox__/faults")

    async def start_gateway(self):
        await self.start("gateway", "serve", ready=f"{self.url}/health/ready")

    async def start_another_gateway(self):
        """A second process that serves everything, under the same public URL; needs PostgreSQL. Answers where it listens."""
        (port,) = free_ports(1)
        url, said = f"http://127.0.0.1:{port}", {"TRIVIUM_SERVER__PUBLIC_URL": self.url}
        await self.start("another gateway", "serve", "--port", str(port), ready=f"{url}/health/ready", environment=said)
        return url

    async def kill(self, name):
        """SIGKILL: no handler, no flush, no goodbye."""
        process = self.processes.pop(name)
        if process.returncode is None:
            process.send_signal(signal.SIGKILL)
        await process.wait()

    async def stop(self):
        """Ends what was started here, gently first, then whatever else is left on this deployment's data."""
        for process in self.processes.values():
            if process.returncode is None:
                process.send_signal(signal.SIGTERM)
        for process in self.processes.values():
            try:
                await asyncio.wait_for(process.wait(), 20)
            except TimeoutError:
                process.kill()
                await process.wait()
        for pid in self.pids():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def pids(self):
        """The processes that live on this deployment's data, children of `trivium up` included. Where there is /proc."""
        ours = f"TRIVIUM_DATA={self.data}".encode()
        found = {}
        for place in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):
                if ours in (place / "environ").read_bytes().split(b"\0"):
                    found[int(place.name)] = (place / "cmdline").read_bytes().replace(b"\0", b" ").decode()
        return found

    def log(self, name):
        file = self.folder / f"{name}.log"
        return file.read_text() if file.exists() else ""

    async def until_answers(self, url, process, name, within=60):
        ends = monotonic() + within
        async with plain() as client:
            while monotonic() < ends:
                if process.returncode is not None:
                    raise RuntimeError(f"{name} ended: {self.log(name)[-3000:]}")
                with suppress(httpx.HTTPError):
                    if (await client.get(url)).status_code < 400:
                        return
                await asyncio.sleep(0.05)
        raise RuntimeError(f"{name} is not ready: {self.log(name)[-3000:]}")

    async def records(self, vendor, kind):
        return await self._control("GET", vendor, f"records/{kind}")

    async def requests(self, vendor):
        return await self._control("GET", vendor, "requests")

    async def fault(self, vendor, kind, **more):
        await self._control("POST", vendor, "faults", {"kind": kind, **more})

    async def mend(self, *vendors):
        """Switches every fault of these platforms off; of all of them if none is named."""
        for vendor in vendors or VENDORS:
            await self._control("DELETE", vendor, "faults")

    async def _control(self, method, vendor, what, body=None):
        async with plain(timeout=30) as client:
            answer = await client.request(method, f"{self.platform(vendor)}/__sandbox__/{what}", json=body)
        answer.raise_for_status()
        return answer.json() if answer.content else None

    async def _spawn(self, arguments, output, environment=None):
        return await asyncio.create_subprocess_exec(
            sys.executable, "-m", "trivium", *arguments,
            cwd=ROOT, env={**self.environment, **(environment or {})}, stdout=output, stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,
        )  # fmt: skip


def plain(base_url="", timeout=5):
    """A client that goes nowhere but to loopback: no proxies, no certificates to load."""
    return httpx.AsyncClient(base_url=base_url, timeout=timeout, trust_env=False, verify=False)  # noqa: S501
