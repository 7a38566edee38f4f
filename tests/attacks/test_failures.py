"""What fails outside or inside costs what is stated here, and when it is over nobody has to do anything."""

import resource
import signal
import socket
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from tests.attacks.process import GatewayProcess, gateway_process
from tests.contract_tests.contract_files import promises
from tests.contract_tests.door import Entrance, entrance

ITEM, SECRETS = "/echo/v1/items/one", "/echo/v1/secrets"
HEAD = f"GET {ITEM} HTTP/1.1\r\nHost: x\r\n\r\n".encode()


@pytest.fixture
def own(tmp_path: Path) -> Iterator[GatewayProcess]:
    """A process that nobody else uses: these tests do it harm."""
    with gateway_process(tmp_path) as running:
        yield running


def http(gateway: GatewayProcess) -> httpx.Client:
    return httpx.Client(base_url=f"http://127.0.0.1:{gateway.port}", trust_env=False, timeout=15)


def bearer(caller: httpx.Client, client: tuple[str, str]) -> dict[str, str]:
    answer = caller.post("/oauth/token", data={"grant_type": "client_credentials"}, auth=client)
    assert answer.status_code == 200, answer.text
    return {"Authorization": f"Bearer {answer.json()['access_token']}"}


def until(condition: Callable[[], bool], within: float = 20) -> None:
    ends = time.monotonic() + within
    while not condition():
        assert time.monotonic() < ends
        time.sleep(0.05)


@contextmanager
def full_disk(gateway: GatewayProcess) -> Iterator[None]:
    """No file of the process can grow any more: the log, the database and the decisions all meet it at once."""
    pid, (_, most) = gateway.running.pid, resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (0, most))
    try:
        yield
    finally:
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (most, most))


def resident(gateway: GatewayProcess) -> int:
    """Bytes of memory."""
    said = Path(f"/proc/{gateway.running.pid}/status").read_text(encoding="ascii")
    return int(said.partition("VmRSS:")[2].split()[0]) * 1024


class Crowd:
    """Callers on kept connections who go on until nobody answers; each exchange is whole, never begun, or cut off."""

    def __init__(self, gateway: GatewayProcess, size: int) -> None:
        self._gateway = gateway
        self.whole = self.cut = self.refused = 0
        self._lock, self._stop = threading.Lock(), threading.Event()
        self._threads = [threading.Thread(target=self._call, daemon=True) for _ in range(size)]
        for thread in self._threads:
            thread.start()

    def wait(self) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(20)

    def _call(self) -> None:
        while not self._stop.is_set():
            try:
                connection = socket.create_connection(("127.0.0.1", self._gateway.port), timeout=15)
            except OSError:
                with self._lock:
                    self.refused += 1
                self._stop.wait(0.02)
                continue
            with closing(connection):
                while self._exchange(connection) and not self._stop.is_set():
                    pass

    def _exchange(self, connection: socket.socket) -> bool:
        """Whether the connection stays."""
        received = b""
        with suppress(OSError):
            connection.sendall(HEAD)
            while not received.endswith(b"\r\n\r\n{}") and (chunk := connection.recv(65_536)):
                received += chunk
        whole = received.startswith(b"HTTP/1.1 200 ") and received.endswith(b"{}")
        with self._lock:
            self.whole += whole
            self.cut += bool(received) and not whole
        return whole and b"connection: close" not in received


def test_sigterm_under_load_loses_no_call_that_was_taken(tmp_path: Path) -> None:
    with gateway_process(tmp_path, delay=0.15) as gateway:
        crowd = Crowd(gateway, 12)
        until(lambda: crowd.whole > 60)
        code = gateway.stop()
        crowd.wait()

        assert code == 0
        assert crowd.cut == 0
        assert crowd.whole == len(gateway.upstream.requests)
        assert crowd.refused > 0  # whoever comes later is refused at once and not left waiting
        assert "Traceback" not in gateway.log()


def test_sigterm_waits_for_a_slow_answer_and_not_for_an_idle_connection(tmp_path: Path) -> None:
    with gateway_process(tmp_path, delay=1.5) as gateway:
        idle = socket.create_connection(("127.0.0.1", gateway.port), timeout=15)
        slow = socket.create_connection(("127.0.0.1", gateway.port), timeout=15)
        slow.sendall(HEAD)
        until(lambda: bool(gateway.upstream.requests))
        begun = time.monotonic()
        gateway.running.send_signal(signal.SIGTERM)
        with closing(idle), closing(slow):
            answer = slow.recv(65_536)
            gone = idle.recv(65_536)

        assert answer.startswith(b"HTTP/1.1 200 ")
        assert gone == b""
        assert gateway.running.wait(20) == 0
        assert time.monotonic() - begun < 8


def test_a_process_that_is_killed_under_load_comes_back_with_its_keys_and_clients(own: GatewayProcess) -> None:
    client = own.client("echo:read")
    with http(own) as caller:
        token = bearer(caller, client)
        assert caller.get(SECRETS, headers=token).status_code == 200
    crowd = Crowd(own, 8)
    until(lambda: crowd.whole > 100)
    own.kill()
    crowd.wait()
    own.start()

    with http(own) as caller:
        assert caller.get(SECRETS, headers=token).status_code == 200  # a token of before
        assert caller.get(SECRETS, headers=bearer(caller, client)).status_code == 200
        assert caller.get("/health/ready").status_code == 200


def test_on_a_full_disk_calls_go_on_and_with_room_everything_is_written_again(own: GatewayProcess) -> None:
    client = own.client("echo:read")
    with http(own) as caller:
        token = bearer(caller, client)
        caller.get(SECRETS, headers=token)
        before = resident(own)
        with full_disk(own):
            statuses = [caller.get(SECRETS, headers=token).status_code for _ in range(300)]
            public = [caller.get(ITEM).status_code for _ in range(300)]
            refused = [caller.get("/nowhere") for _ in range(50)]
            until(lambda: dropped(caller, "decisions") >= 50)  # what cannot be kept is counted
            issued = bearer(caller, client)  # a token is a signature: nothing is written for it
        after = caller.get(SECRETS, headers=issued)

        assert set(statuses) == set(public) == {200}
        assert {(answer.status_code, answer.headers["content-type"]) for answer in refused} == {(404, "application/problem+json")}
        assert after.status_code == 200
        assert resident(own) - before < 30_000_000
        until(lambda: written(own, caller.get("/nowhere").headers["x-request-id"]))
    assert own.stop() == 0


def written(gateway: GatewayProcess, request_id: str) -> bool:
    """Whether the decision is kept within a few moments."""
    ends, found = time.monotonic() + 3, None
    with closing(sqlite3.connect(gateway.folder / "data" / "decisions.sqlite")) as database:
        while not found and time.monotonic() < ends:
            asked = "SELECT 1 FROM gateway_decisions WHERE request_id = ?"
            found = database.execute(asked, (request_id,)).fetchone()
            time.sleep(0.05)
    return found is not None


def dropped(caller: httpx.Client, what: str) -> float:
    (line,) = [line for line in caller.get("/metrics").text.splitlines() if line.startswith(f"trivium_{what}_dropped_total ")]
    return float(line.split()[1])


@contextmanager
def held_database(gateway: GatewayProcess) -> Iterator[None]:
    """Somebody writes into it and does not come to an end."""
    with closing(sqlite3.connect(gateway.folder / "data" / "trivium.sqlite", isolation_level=None)) as holder:
        holder.execute("BEGIN EXCLUSIVE")
        yield
        holder.execute("ROLLBACK")


def test_while_somebody_holds_the_database_calls_and_tokens_go_on_and_what_writes_is_put_off(own: GatewayProcess) -> None:
    client, waiting = own.client("echo:read"), list[httpx.Response]()
    with http(own) as caller, http(own) as writer:
        token = bearer(caller, client)
        given_back = {"token": token["Authorization"].removeprefix("Bearer ")}
        revoking = threading.Thread(target=lambda: waiting.append(writer.post("/oauth/revoke", data=given_back, auth=client)))
        with held_database(own):
            other = bearer(caller, client)
            revoking.start()
            begun, slowest, held = time.monotonic(), 0.0, set[int]()
            while revoking.is_alive():  # longer than the state of the authorization server may be old
                asked = time.monotonic()
                held.add(caller.get(SECRETS, headers=other).status_code)
                slowest = max(slowest, time.monotonic() - asked)
                time.sleep(0.05)
            lasted = time.monotonic() - begun
        again = writer.post("/oauth/revoke", data=given_back, auth=client)

        assert held == {200}
        assert slowest < 2
        assert lasted > 5
        assert [(answer.status_code, answer.headers["retry-after"]) for answer in waiting] == [(503, "1")]
        assert again.status_code == 200
        until(lambda: caller.get(SECRETS, headers=token).status_code == 401)


class Jumping:
    """A wall clock that somebody sets; what is measured in durations goes on."""

    def __init__(self, gate: Entrance) -> None:
        self.gate, self.promise = gate, next(promise for promise in promises() if promise.id == "process/orders: list_orders")

    def jump(self, **by: float) -> None:
        self.gate.clock._now += timedelta(**by)

    async def status(self, token: str) -> int:
        return (await self.gate.ask(self.promise, token=token)).status


async def test_a_clock_that_is_set_ends_no_more_than_it_must_and_is_got_over(tmp_path: Path) -> None:
    async with entrance(tmp_path) as gate:
        clock, old = Jumping(gate), gate.token()
        first = await clock.status(old)
        clock.jump(hours=1)
        ahead = [await clock.status(old), await clock.status(gate.token())]
        from_the_future = gate.token()
        clock.jump(hours=-1)
        back = [await clock.status(old), await clock.status(gate.token()), await clock.status(from_the_future)]
        clock.jump(hours=-1)
        seen_before = await clock.status(old)
        clock.jump(hours=1)

        assert first == 200
        assert ahead == [401, 200]
        assert back == [200, 200, 401]
        assert seen_before == 200  # nothing makes a token that was checked any less ours
        assert await clock.status(gate.token()) == 200


async def test_no_jump_of_the_clock_gives_more_calls_than_two_windows_have(tmp_path: Path) -> None:
    async with entrance(tmp_path) as gate:
        clock, served = Jumping(gate), 0
        (limit,) = clock.promise.said["x-trivium-limits"]["default"]
        gate.spend("jumper", clock.promise, limit["quota"] - 5)
        for minutes in (0, -1, 1, -2, 2, -1, 1) * 3:
            clock.jump(minutes=minutes)
            for _ in range(5):
                served += (await gate.ask(clock.promise, token=gate.token(client="jumper"))).status == 200

        assert 5 <= served <= 5 + limit["quota"]
