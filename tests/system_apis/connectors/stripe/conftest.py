"""A platform that says exactly what a test wants it to say, over real HTTP; and Stripe's sandbox."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from kernel.secrets import SecretRef
from kernel.settings import Connection
from system_apis.connector import Connector, Secrets
from system_apis.connectors.stripe import connect
from tests.conformance.sandboxed import Sandbox


class Scripted:
    """Answers requests with what was put into `answers`, one each, and keeps what was asked: head and body as text."""

    def __init__(self) -> None:
        self.answers: list[tuple[int, bytes]] = []
        self.asked: list[str] = []
        self.url = ""

    def say(self, status: int, body: Any) -> None:
        self.answers.append((status, body if isinstance(body, bytes) else json.dumps(body).encode()))

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        lengths = [line.split(":")[1] for line in head.splitlines() if line.lower().startswith("content-length")]
        body = await reader.readexactly(int(lengths[0])) if lengths else b""
        self.asked.append(head + body.decode())
        status, answer = self.answers.pop(0)
        writer.write(b"HTTP/1.1 %d Said\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%b" % (status, len(answer), answer))
        await writer.drain()
        writer.close()


@pytest.fixture
async def scripted() -> AsyncIterator[Scripted]:
    script = Scripted()
    server = await asyncio.start_server(script.serve, "127.0.0.1", 0)
    script.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    yield script
    server.close()
    await server.wait_closed()


@pytest.fixture(scope="session")
def running() -> Iterator[Sandbox]:
    sandbox = Sandbox("stripe")
    yield sandbox
    sandbox.stop()


@pytest.fixture
def sandbox(running: Sandbox) -> Sandbox:
    running.reset()
    return running


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    file = tmp_path / "secret_key"
    file.write_text("sk_test_sandbox")
    return file


@pytest.fixture
def to_script(scripted: Scripted, key_file: Path) -> Connection:
    credentials = {"secret_key": SecretRef(file=key_file)}
    return Connection(id="stripe-us", vendor="stripe", base_url=scripted.url, credentials=credentials)


@pytest.fixture
def to_sandbox(sandbox: Sandbox, key_file: Path) -> Connection:
    credentials = {"secret_key": SecretRef(file=key_file)}
    return Connection(id="stripe-us", vendor="stripe", base_url=sandbox.url, credentials=credentials)


@pytest.fixture
async def connector(to_sandbox: Connection) -> AsyncIterator[Connector]:
    made = connect(to_sandbox, Secrets(to_sandbox))
    yield made
    await made.close()
