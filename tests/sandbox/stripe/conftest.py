"""One Stripe imitation on a loopback port for this folder, reset before every test, with the vendor's own SDK for it."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import pytest
import stripe as sdk
import uvicorn

from sandbox.control import platform
from sandbox.stripe import imitation

KEY = "sk_test_sandbox"


class Clock:
    """The imitation's time: the real one, moved by `ahead` seconds."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def __call__(self) -> float:
        return time.time() + self.ahead


@dataclass
class Sandbox:
    """The running imitation, its clock, and the ways to talk to it."""

    url: str
    clock: Clock
    http: httpx.Client

    def client(self, key: str = KEY, **options: Any) -> Any:
        return sdk.StripeClient(key, base_addresses={"api": self.url}, **{"max_network_retries": 0, **options})

    def post(self, path: str, data: dict[str, str] | None = None, key: str | None = None, **headers: str) -> httpx.Response:
        extra = {"Idempotency-Key": key} if key else {}
        return self.http.post(path, data=data or {}, headers={**extra, **headers})

    def get(self, path: str) -> httpx.Response:
        return self.http.get(path)

    def fault(self, kind: str, **options: Any) -> None:
        self.http.post("/__sandbox__/faults", json={"kind": kind, **options}).raise_for_status()

    def records(self, kind: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.http.get(f"/__sandbox__/records/{kind}").json()
        return found

    def until(self, condition: Callable[[], bool]) -> None:
        until(condition)

    def price(self, lookup_key: str) -> str:
        [row] = self.http.get("/v1/prices", params={"lookup_keys[]": lookup_key}).json()["data"]
        return str(row["id"])


@pytest.fixture(scope="session")
def running() -> Iterator[Sandbox]:
    clock = Clock()
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        app = platform(imitation(clock, retry_after=(0.01, 0.02, 0.04)))
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning", access_log=False, timeout_graceful_shutdown=1))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        with httpx.Client(base_url=url, headers={"Authorization": f"Bearer {KEY}"}, trust_env=False) as http:
            until(lambda: server.started)
            yield Sandbox(url, clock, http)
        server.should_exit = True
        thread.join(10)


@pytest.fixture
def sandbox(running: Sandbox) -> Sandbox:
    running.clock.ahead = 0.0
    running.http.post("/__sandbox__/reset").raise_for_status()
    return running


@pytest.fixture
def stripe(sandbox: Sandbox) -> Any:
    return sandbox.client()


@dataclass
class Receiver:
    """A webhook endpoint of ours: what it got, and how it answers."""

    url: str = ""
    got: list[tuple[bytes, str]] = field(default_factory=list)
    failures: int = 0
    changed: threading.Condition = field(default_factory=threading.Condition)

    def wait_for(self, count: int) -> list[tuple[bytes, str]]:
        with self.changed:
            assert self.changed.wait_for(lambda: len(self.got) >= count, timeout=10), f"{len(self.got)} of {count} arrived"
            return list(self.got)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    received = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            with received.changed:
                failing = received.failures > 0
                received.failures -= failing
                received.got.append((body, self.headers["Stripe-Signature"]))
                received.changed.notify_all()
            self.send_response(500 if failing else 200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            """Quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        received.url = f"http://127.0.0.1:{server.server_port}/hook"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        yield received
        server.shutdown()
        thread.join(10)


def until(condition: Callable[[], bool], seconds: float = 10.0) -> None:
    """Waits for what another thread brings about."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.005)
