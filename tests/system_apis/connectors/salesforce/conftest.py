"""An org that says exactly what a test wants it to say, over real HTTP; and Salesforce's sandbox."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from kernel.secrets import SecretRef
from kernel.settings import Connection
from system_apis.connector import Connector, Secrets
from system_apis.connectors.salesforce import connect
from tests.conformance.sandboxed import Sandbox

ROOT = "/services/data/v66.0"
TOKEN = "/services/oauth2/token"
ENDED = [{"message": "Session expired or invalid", "errorCode": "INVALID_SESSION_ID"}]


@dataclass(frozen=True)
class Asked:
    method: str
    path: str
    headers: dict[str, str]
    body: str


class Scripted:
    """Answers tokens `session-1`, `session-2`… by itself unless told otherwise, and calls with what was said, one each."""

    def __init__(self) -> None:
        self.answers: list[tuple[int, bytes]] = []
        self.token_answers: list[tuple[int, bytes]] = []
        self.asked: list[Asked] = []
        self.url = ""
        self.hold = asyncio.Event()  # tokens are answered when it is set
        self.hold.set()
        self._arrival = asyncio.Condition()

    def say(self, status: int, body: Any) -> None:
        self.answers.append(_answer(status, body))

    def say_token(self, status: int, body: Any) -> None:
        self.token_answers.append(_answer(status, body))

    @property
    def tokens(self) -> list[Asked]:
        return [one for one in self.asked if one.path == TOKEN]

    @property
    def calls(self) -> list[Asked]:
        return [one for one in self.asked if one.path != TOKEN]

    async def until(self, seen: Callable[[], bool]) -> None:
        """Waits for the requests that make it true."""
        async with self._arrival:
            await self._arrival.wait_for(seen)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        start, *lines = (await reader.readuntil(b"\r\n\r\n")).decode().strip().splitlines()
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        body = await reader.readexactly(int(headers.get("content-length", 0)))
        method, path, _ = start.split()
        async with self._arrival:
            self.asked.append(Asked(method, path, headers, body.decode()))
            self._arrival.notify_all()
        status, answer = await self._token() if path == TOKEN else self.answers.pop(0)
        writer.write(b"HTTP/1.1 %d Said\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%b" % (status, len(answer), answer))
        await writer.drain()
        writer.close()

    async def _token(self) -> tuple[int, bytes]:
        await self.hold.wait()
        if self.token_answers:
            return self.token_answers.pop(0)
        return _answer(200, {"access_token": f"session-{len(self.tokens)}", "instance_url": "https://acme.my.salesforce.com"})


def _answer(status: int, body: Any) -> tuple[int, bytes]:
    return status, body if isinstance(body, bytes) else json.dumps(body).encode()


def connection(url: str, secret_file: Path, **options: Any) -> Connection:
    credentials = {"client_id": "sandbox-salesforce", "client_secret": SecretRef(file=secret_file)}
    return Connection(id="sf", vendor="salesforce", base_url=url, credentials=credentials, options=options)


@pytest.fixture
async def scripted() -> AsyncIterator[Scripted]:
    script = Scripted()
    server = await asyncio.start_server(script.serve, "127.0.0.1", 0)
    script.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    yield script
    script.hold.set()
    server.close()
    await server.wait_closed()


@pytest.fixture(scope="session")
def running() -> Iterator[Sandbox]:
    sandbox = Sandbox("salesforce")
    yield sandbox
    sandbox.stop()


@pytest.fixture
def sandbox(running: Sandbox) -> Sandbox:
    running.reset()
    return running


@pytest.fixture
def secret_file(tmp_path: Path) -> Path:
    file = tmp_path / "client_secret"
    file.write_text("sandbox-secret")
    return file


@pytest.fixture
def to_script(scripted: Scripted, secret_file: Path) -> Connection:
    return connection(scripted.url, secret_file)


@pytest.fixture
def to_sandbox(sandbox: Sandbox, secret_file: Path) -> Connection:
    return connection(sandbox.url, secret_file)


class Connecting:
    """Opens connectors with options of their own; all are closed at the end of the test."""

    def __init__(self, secret_file: Path) -> None:
        self._secret_file = secret_file
        self.opened: list[Connector] = []

    def __call__(self, url: str, **options: Any) -> Connector:
        settings = connection(url, self._secret_file, **options)
        self.opened.append(connect(settings, Secrets(settings)))
        return self.opened[-1]


@pytest.fixture
async def connecting(secret_file: Path) -> AsyncIterator[Connecting]:
    made = Connecting(secret_file)
    yield made
    for one in made.opened:
        await one.close()
