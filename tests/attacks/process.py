"""`trivium serve` as a process of its own before one service whose upstream keeps, byte for byte, what reached it."""

import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

ROOT = Path(__file__).parent.parent.parent
DOCUMENT = {
    "openapi": "3.1.0", "info": {"title": "Echo", "version": "1.0.0"},
    "paths": {
        "/items": {
            "get": {"operationId": "list_items", "responses": {}},
            "post": {"operationId": "add_item", "requestBody": {"content": {"application/json": {"schema": {}}}}},
        },
        "/secrets": {"get": {"operationId": "list_secrets", "responses": {}}},
        "/items/{id}": {
            "parameters": [{"in": "path", "name": "id", "required": True, "schema": {"type": "string"}}],
            "get": {"operationId": "get_item", "responses": {}},
        },
    },
}  # fmt: skip
SETTINGS = """
data = "data"
[server]
port = {port}
[split]
experience = "http://127.0.0.1:9"
process = "http://127.0.0.1:9"
system = "http://127.0.0.1:9"
{more}
[[services]]
name = "echo"
contract = "echo.json"
prefix = "/echo/v1"
upstreams = ["http://127.0.0.1:{upstream}"]
public = ["list_items", "add_item", "get_item"]
max_body = 5000
retries = {{ attempts = 1 }}
limits = {{ default = [{{ policy = "burst", quota = 100000, window = 60 }}] }}
"""


class EchoUpstream:
    """Reads as strictly as RFC 9112 asks; what it cannot read ends up in `strange`."""

    def __init__(self, delay: float = 0.0) -> None:
        self.requests: list[tuple[str, bytes]] = []  # request line, body
        self.heads: list[bytes] = []
        self.strange: list[bytes] = []
        self._delay = delay
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        threading.Thread(target=self._accept, daemon=True).start()

    def forget(self) -> None:
        for kept in (self.requests, self.heads, self.strange):
            kept.clear()

    def close(self) -> None:
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, connection.makefile("rb") as stream:
            while head := _head(stream):
                line, *fields = head.split(b"\r\n")
                try:
                    body = _body(stream, _fields(fields))
                except ValueError:
                    self.strange.append(head)
                    return
                self.heads.append(head)
                self.requests.append((line.decode("latin-1"), body))
                time.sleep(self._delay)
                answer = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"
                try:
                    connection.sendall(answer)
                except OSError:
                    return


def _head(stream: BinaryIO) -> bytes:
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        try:
            line = stream.readline(200_000)
        except OSError:
            return b""
        if not line:
            return b""
        head += line
    return head[:-4]


def _fields(lines: list[bytes]) -> dict[bytes, bytes]:
    fields: dict[bytes, bytes] = {}
    for line in lines:
        name, colon, value = line.partition(b":")
        if not colon or name != name.strip() or name.lower() in fields or b"\n" in line:
            raise ValueError(line)
        fields[name.lower()] = value.strip()
    return fields


def _body(stream: BinaryIO, fields: Mapping[bytes, bytes]) -> bytes:
    if b"transfer-encoding" not in fields:
        return stream.read(int(fields.get(b"content-length", b"0")))
    if b"content-length" in fields or fields[b"transfer-encoding"] != b"chunked":
        raise ValueError("two framings")
    body = b""
    while size := int(stream.readline().removesuffix(b"\r\n"), 16):
        body += stream.read(size)
        if stream.read(2) != b"\r\n":
            raise ValueError("a chunk without its end")
    if stream.readline() != b"\r\n":
        raise ValueError("trailers")
    return body


class GatewayProcess:
    """The gateway with what it stands before; `port` is where it listens."""

    def __init__(self, folder: Path, upstream: EchoUpstream, more: str = "") -> None:
        self.folder, self.upstream, self.port = folder, upstream, _free_port()
        (folder / "echo.json").write_text(json.dumps(DOCUMENT))
        (folder / "trivium.toml").write_text(SETTINGS.format(port=self.port, upstream=upstream.port, more=more))
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("TRIVIUM_")},
            "TRIVIUM_CONFIG": str(folder / "trivium.toml"), "TRIVIUM_DATA": str(folder / "data"),
            "TRIVIUM_TELEMETRY__LOG_LEVEL": "warning",
        }  # fmt: skip
        self.running: subprocess.Popen[bytes]

    def start(self, within: float = 60) -> None:
        with (self.folder / "gateway.log").open("ab") as log:
            self.running = subprocess.Popen(
                [sys.executable, "-m", "trivium", "serve", "--part", "gateway"],
                cwd=ROOT, env=self.environment, stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip
        ends = time.monotonic() + within
        while not self._answers():
            assert self.running.poll() is None, self.log()
            assert time.monotonic() < ends, self.log()
            time.sleep(0.05)

    def stop(self) -> int:
        """SIGTERM, and the exit code."""
        self.running.terminate()
        try:
            return self.running.wait(20)
        finally:
            self.running.kill()

    def kill(self) -> None:
        """SIGKILL: no handler, no flush, no goodbye."""
        self.running.kill()
        self.running.wait(20)

    def client(self, *scopes: str) -> tuple[str, str]:
        """A new client's id and secret."""
        asked = [f"--scope={scope}" for scope in scopes]
        command = [sys.executable, "-m", "trivium", "clients", "add", "attacks", *asked]
        said = subprocess.run(command, cwd=ROOT, env=self.environment, capture_output=True, text=True, timeout=60, check=True)
        words = said.stdout.split()
        return words[words.index("client_id") + 1], words[words.index("client_secret") + 1]

    def log(self) -> str:
        return (self.folder / "gateway.log").read_text()[-3000:]

    def talk(self, *sent: bytes, within: float = 10) -> bytes:
        """All that comes back until the gateway closes the connection. Each part is a packet of its own."""
        received = b""
        with socket.create_connection(("127.0.0.1", self.port), timeout=within) as connection:
            try:
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                for number, part in enumerate(sent):
                    time.sleep(0.1 if number else 0)
                    connection.sendall(part)
                while chunk := connection.recv(65_536):
                    received += chunk
            except ConnectionError:  # it closed while we were still sending
                pass
        return received

    def _answers(self) -> bool:
        try:
            return b" 200 " in self.talk(b"GET /health/live HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")[:15]
        except OSError:
            return False


@contextmanager
def gateway_process(folder: Path, more: str = "", delay: float = 0.0) -> Iterator[GatewayProcess]:
    upstream = EchoUpstream(delay)
    gateway = GatewayProcess(folder, upstream, more)
    gateway.start()
    try:
        yield gateway
    finally:
        if gateway.running.poll() is None:
            gateway.stop()
        upstream.close()


def statuses(received: bytes) -> list[int]:
    """Of each answer in turn, interim ones included."""
    return [int(part[:3]) for part in received.split(b"HTTP/1.1 ")[1:]]


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])
