"""A service that nobody here wrote (Glances, from PyPI) behind the gateway: its own document governs it like our own APIs."""

import asyncio
import json
import os
import sys
from importlib.util import find_spec
from pathlib import Path

import httpx
import pytest

from tests.journeys.deployment import free_ports, plain

# An interpreter that has glances[web], where this one has not.
PYTHON = os.environ.get("TRIVIUM_TEST_GLANCES", sys.executable)
pytestmark = pytest.mark.skipif(
    sys.executable == PYTHON and find_spec("glances") is None, reason="glances[web] is not installed (it is in the dev group)"
)
SERVICE = """
[[services]]
name = "glances"
contract = "glances.json"
prefix = "/glances/v4"
upstreams = ["http://127.0.0.1:{port}"]
owner = "operations"
health = {{ path = "/api/4/status", interval = 0.2, timeout = 2.0, healthy = 1, unhealthy = 2 }}
ejection = {{ pause = 0.2 }}
limits = {{ default = [{{ policy = "burst", quota = 50, window = 60 }}] }}
"""


class Glances:
    """The unmodified program, as its manual starts it."""

    def __init__(self, port: int, log: Path) -> None:
        self.url, self._port, self._log = f"http://127.0.0.1:{port}", port, log
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        arguments = ("-w", "--disable-webui", "--disable-check-update", "-B", "127.0.0.1", "-p", str(self._port), "-q")
        with self._log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                PYTHON, "-m", "glances", *arguments, stdout=log, stderr=asyncio.subprocess.STDOUT, start_new_session=True
            )
        async with asyncio.timeout(60), plain(self.url) as client:
            while True:
                assert self._process.returncode is None, self._log.read_text()[-2000:]
                try:
                    if (await client.get("/api/4/status")).status_code == 200:
                        return
                except httpx.HTTPError:
                    await asyncio.sleep(0.1)

    async def stop(self) -> None:
        if self._process is not None and self._process.returncode is None:
            self._process.kill()
            await self._process.wait()


@pytest.fixture
async def glances(tmp_path):
    (port,) = free_ports(1)
    service = Glances(port, tmp_path / "glances.log")
    await service.start()
    yield service
    await service.stop()


@pytest.fixture
async def governed(deploy, glances):
    """The gateway alone, before the service."""
    unused = free_ports(3)
    layers = zip(("EXPERIENCE", "PROCESS", "SYSTEM"), unused, strict=True)
    deployment = deploy({f"TRIVIUM_SPLIT__{layer}": f"http://127.0.0.1:{port}" for layer, port in layers})
    async with plain(glances.url) as client:
        document = (await client.get("/openapi.json")).text  # its own, untouched
    (deployment.folder / "glances.json").write_text(document)
    deployment.file.write_text(deployment.file.read_text() + SERVICE.format(port=glances.url.rpartition(":")[2]))
    await deployment.start("gateway", "serve", "--part", "gateway", ready=f"{deployment.url}/health/ready")
    return deployment


async def token(deployment, *scopes):
    asked = [f"--scope={scope}" for scope in scopes]
    code, said = await deployment.run("clients", "add", "operator", *asked)
    assert code == 0, said
    words = said.split()
    secret = {name: words[words.index(name) + 1] for name in ("client_id", "client_secret")}
    async with plain(deployment.url) as client:
        answer = await client.post(
            "/oauth/token", auth=(secret["client_id"], secret["client_secret"]),
            data={"grant_type": "client_credentials", "scope": " ".join(scopes)},
        )  # fmt: skip
    return {"Authorization": f"Bearer {answer.json()['access_token']}"}


async def until(ask, wanted, within=20.0):
    async with asyncio.timeout(within):
        while (answer := await ask()).status_code != wanted:  # noqa: ASYNC110 - another process
            await asyncio.sleep(0.1)
    return answer


@pytest.mark.slow
async def test_a_service_from_pypi_is_governed_by_its_own_document(governed, glances):
    code, said = await governed.run("services", "check")
    reader = await token(governed, "glances:read", "gateway:read")
    async with plain(governed.url) as client, plain(glances.url) as direct:
        through = await client.get("/glances/v4/api/4/cpu", headers=reader)
        straight = await direct.get("/api/4/cpu")

        assert (code, "/glances/v4/api/4/{plugin}" in said) == (0, True)
        assert (through.status_code, set(through.json())) == (200, set(straight.json()))
        assert through.headers["RateLimit-Policy"] == '"burst";q=50;w=60'
        assert (await client.get("/glances/v4/api/4/cpu")).status_code == 401
        assert (await client.post("/glances/v4/api/4/events/clear/all", headers=reader)).status_code == 403
        assert (await client.get("/glances/v4/docs", headers=reader)).status_code == 404
        assert (await client.get("/glances/v4/api/4/cpu?no=1", headers=reader)).status_code == 422
        assert (await client.get("/glances/v4/api/4/cpu/history/many", headers=reader)).status_code == 422
        assert (await client.get("/glances/v4/api/4/cpu/history/history", headers=reader)).status_code == 404  # two fit
        missing = await client.get("/glances/v4/api/4/nothing", headers=reader)
        assert missing.headers["Content-Type"] == "application/problem+json"
        standing = (await client.get("/ops/gateway/v1/services", headers=reader)).json()["items"][0]
        assert (standing["api"], standing["upstreams"][0]["healthy"]) == ("services/glances", True)
        assert 'trivium_upstream_calls_total{outcome="answered",service="services/glances"' in (await client.get("/metrics")).text


@pytest.mark.slow
async def test_while_it_is_away_that_is_said_and_when_it_is_back_it_serves(governed, glances):
    reader = await token(governed, "glances:read")
    async with plain(governed.url) as client:

        async def ask():
            return await client.get("/glances/v4/api/4/status", headers=reader)

        before = await ask()
        await glances.stop()
        away = await ask()
        await glances.start()
        after = await until(ask, 200)

    assert before.status_code == after.status_code == 200
    assert (away.status_code, json.loads(away.text)["system"]) == (503, "services/glances")
