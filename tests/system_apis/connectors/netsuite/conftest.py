"""A platform that says exactly what a test wants it to say, over real HTTP; and NetSuite's sandbox."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import ECKey

from contracts.ports.system import Erp
from kernel.secrets import SecretRef
from kernel.settings import Connection
from sandbox.netsuite.account import CLIENT_ID
from system_apis.connector import Connector, Secrets
from system_apis.connectors.netsuite import connect
from system_apis.connectors.netsuite.tokens import ASSERTION_TYPE, TOKEN_PATH
from tests.conformance.platforms import netsuite as described
from tests.conformance.sandboxed import Sandbox

KEY = ECKey.generate_key("P-256")
EXPIRED = 'Bearer realm="TRIV", error="invalid_token", error_description="Invalid login attempt."'


@dataclass(frozen=True)
class Asked:
    """One request as it stood on the wire; header names in lower case."""

    line: str
    headers: dict[str, str]
    body: str


class Scripted:
    """Answers requests for tokens by itself (token-1, token-2, …) and others with what was put into `answers`, one each."""

    def __init__(self) -> None:
        self.answers: list[tuple[int, bytes, str]] = []
        self.token_answers: list[tuple[int, bytes, str]] = []
        self.asked: list[Asked] = []
        self.tokens: list[Asked] = []
        self.url = ""

    def say(self, status: int, body: Any = b"", header: str = "") -> None:
        self.answers.append((status, body if isinstance(body, bytes) else json.dumps(body).encode(), header))

    def say_of_token(self, status: int, body: Any) -> None:
        self.token_answers.append((status, body if isinstance(body, bytes) else json.dumps(body).encode(), ""))

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        line, *more = head.strip().splitlines()
        headers = {name.lower(): value.strip() for name, _, value in (one.partition(":") for one in more)}
        body = await reader.readexactly(int(headers.get("content-length", 0)))
        status, answer, header = self._answer(Asked(line, headers, body.decode()))
        extra = f"{header}\r\n".encode() if header else b""
        writer.write(b"HTTP/1.1 %d Said\r\n%bConnection: close\r\nContent-Length: %d\r\n\r\n" % (status, extra, len(answer)))
        writer.write(answer)
        await writer.drain()
        writer.close()

    def _answer(self, asked: Asked) -> tuple[int, bytes, str]:
        if TOKEN_PATH not in asked.line:
            self.asked.append(asked)
            return self.answers.pop(0)
        self.tokens.append(asked)
        if self.token_answers:
            return self.token_answers.pop(0)
        token = {"access_token": f"token-{len(self.tokens)}", "expires_in": 3600, "token_type": "Bearer"}
        return 200, json.dumps(token).encode(), ""


class OwnClock:
    """A clock that only the test moves."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def now(self) -> datetime:
        return datetime.fromtimestamp(1_767_225_600 + self.seconds, UTC)

    def monotonic(self) -> float:
        return self.seconds


@pytest.fixture
def clock() -> OwnClock:
    return OwnClock()


@pytest.fixture
async def scripted() -> AsyncIterator[Scripted]:
    script = Scripted()
    server = await asyncio.start_server(script.serve, "127.0.0.1", 0)
    script.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    yield script
    server.close()
    await server.wait_closed()


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    file = tmp_path / "private_key"
    file.write_bytes(KEY.as_pem(private=True))
    return file


def settings(base_url: str, key_file: Path) -> Connection:
    credentials = {"client_id": "client-1", "certificate_id": "cert-1", "private_key": SecretRef(file=key_file)}
    return Connection(id="netsuite-us", vendor="netsuite", base_url=base_url, credentials=credentials)


@pytest.fixture
def to_script(scripted: Scripted, key_file: Path) -> Connection:
    return settings(scripted.url, key_file)


@pytest.fixture
async def told(to_script: Connection, clock: OwnClock) -> AsyncIterator[Erp]:
    """The port before the scripted platform."""
    made = connect(to_script, Secrets(to_script), clock)
    yield made.ports[Erp]
    await made.close()


@pytest.fixture(scope="session")
def running() -> Iterator[Sandbox]:
    sandbox = Sandbox("netsuite")
    yield sandbox
    sandbox.stop()


@pytest.fixture
def sandbox(running: Sandbox) -> Sandbox:
    running.reset()
    return running


@pytest.fixture
def to_sandbox(sandbox: Sandbox, tmp_path: Path) -> Connection:
    return described.settings(sandbox, tmp_path)


@pytest.fixture
async def connector(to_sandbox: Connection) -> AsyncIterator[Connector]:
    made = connect(to_sandbox, Secrets(to_sandbox))
    yield made
    await made.close()


@pytest.fixture
def erp(connector: Connector) -> Any:
    return connector.ports[Erp]


@pytest.fixture
def facts(sandbox: Sandbox) -> Any:
    return described.facts(sandbox)[Erp]


Directly = Callable[..., httpx.Response]


@pytest.fixture
def directly(to_sandbox: object, sandbox: Sandbox) -> Iterator[Directly]:
    """What somebody else does in the same account: (method, path, body) -> the answer."""
    now = int(time.time())
    claims = {"iss": CLIENT_ID, "scope": ["rest_webservices"], "aud": sandbox.url + TOKEN_PATH, "iat": now, "exp": now + 60}
    assertion = jwt.encode({"alg": "ES256", "kid": described.KID}, claims, described.KEY)
    form = {"client_assertion_type": ASSERTION_TYPE, "client_assertion": assertion, "grant_type": "client_credentials"}
    with httpx.Client(base_url=sandbox.url, trust_env=False) as http:
        token = http.post(TOKEN_PATH, data=form).raise_for_status().json()["access_token"]
        http.headers["Authorization"] = f"Bearer {token}"

        def does(method: str, path: str, body: Any = None) -> httpx.Response:
            return http.request(method, f"/services/rest/record/v1{path}", json=body).raise_for_status()

        yield does
