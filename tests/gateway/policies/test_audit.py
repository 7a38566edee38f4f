"""Through the whole door: what changes something, what was refused, and who was not believed is written down, and no more."""

import hashlib
import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from gateway.audit.anchors import AnchorFile
from gateway.audit.entry import CLAIMED, Entry, told
from gateway.audit.recorder import AuditLog
from gateway.audit.store import AuditStore
from gateway.pipeline import Caller, Operation, Policy
from kernel.db import Database
from kernel.problem import Conflict, Unauthorized
from kernel.sections.audit import Audit

ORDERS = "/process/orders/v1/orders"
SUBMIT = "process.orders.v1.submit_order"
PERSON = Caller("portal", "user-7", frozenset({"orders:read", "orders:write"}), partner="", token_id="jti-1", actor="desk")


class Recorded:
    """A door with an audit log, which is read once it has ended."""

    def __init__(self, build: Callable[..., Any], database: Database, folder: Path, clock: Any) -> None:
        self._build, self._database, self._folder, self._clock = build, database, folder, clock
        self.log = self.open(Audit(every=0.01))

    def open(self, settings: Audit) -> AuditLog:
        anchors = AnchorFile(self._folder, b"k" * 32)
        return AuditLog(AuditStore(self._database), b"k" * 32, anchors, self._clock, settings, CollectorRegistry())

    def house(self, *args: Any, **more: Any) -> Any:
        return self._build(*args, means={"audit": self.log}, **more)

    async def entries(self) -> list[dict[str, Any]]:
        """What was recorded, without what the chain says of itself."""
        self.log.start()
        await self.log.close()
        found = [told(link.text) async for link in AuditStore(self._database).links(self.log.chain)]
        return [entry for entry in found if entry["kind"] == "call"]


@pytest.fixture
async def recorded(build: Callable[..., Any], tmp_path: Path, clock: Any) -> AsyncIterator[Recorded]:
    database = Database(f"sqlite:///{tmp_path / 'audit.sqlite'}")
    await database.create_all()
    yield Recorded(build, database, tmp_path, clock)
    await database.close()


async def test_a_write_is_recorded_with_who_what_when_and_how_it_ended(recorded: Recorded, clock: Any) -> None:
    house = recorded.house()
    house.caller = PERSON
    body = b'{"quote": "q1"}'
    answer = await house.submit(body, **{"x-correlation-id": "deal-0001"})
    [entry] = await recorded.entries()

    assert answer.status == 200
    assert entry == {
        "at": int(clock.now().timestamp() * 1_000_000), "kind": "call", "client": "portal", "subject": "user-7", "actor": "desk",
        "token": "jti-1", "operation": SUBMIT, "method": "POST", "status": 200, "correlation_id": "deal-0001",
        "request_id": answer.headers["x-request-id"], "digest": hashlib.sha256(body).hexdigest(),
    }  # fmt: skip


async def test_no_body_no_token_and_no_address_is_kept(recorded: Recorded) -> None:
    house = recorded.house()
    await house.submit({"quote": "SECRET"}, authorization="Bearer SECRET", cookie="SECRET")
    kept = json.dumps(await recorded.entries())

    assert "SECRET" not in kept
    assert "192.0.2.7" not in kept


async def test_refusals_of_writes_are_recorded_with_their_problem(recorded: Recorded) -> None:
    house = recorded.house()
    await house.submit({"nonsense": 1})
    await house.ask("POST", ORDERS, {"content-type": "application/json"}, b"{}")
    await house.submit(b"x" * 3_000)
    house.caller = Caller("reader", "reader", frozenset({"orders:read"}))
    await house.submit({"quote": "q"})
    entries = await recorded.entries()

    assert [(entry["status"], entry["problem"]) for entry in entries] == [
        (422, "invalid"), (400, "bad-request"), (413, "too-large"), (403, "forbidden"),
    ]  # fmt: skip
    assert entries[3]["client"] == "reader"


async def test_what_the_layers_refuse_and_what_breaks_is_recorded_too(recorded: Recorded) -> None:
    house = recorded.house()

    async def refusing(scope: Any, receive: Any, send: Any) -> None:
        raise Conflict("no")

    async def broken(scope: Any, receive: Any, send: Any) -> None:
        raise RuntimeError("oops")

    for app in (refusing, broken):
        house.echo.instead = app
        await house.submit({"quote": "q"})
    entries = await recorded.entries()

    assert [(entry["status"], entry.get("problem")) for entry in entries] == [(409, "conflict"), (500, None)]


async def test_reads_leave_no_entry_unless_their_caller_was_not_believed(recorded: Recorded) -> None:
    def nobody(operation: Operation) -> Policy:
        async def policy(call: Any, forward: Any) -> None:
            raise Unauthorized("this needs a token")

        return policy

    believed, stranger = recorded.house(), recorded.house(authenticate=nobody)
    await believed.ask("GET", f"{ORDERS}/o1")
    await believed.ask("GET", f"{ORDERS}?limit=x")
    await stranger.ask("GET", f"{ORDERS}/o1")
    await stranger.ask("GET", "/nowhere")
    [entry] = await recorded.entries()

    assert (entry["status"], entry["problem"], entry["method"]) == (401, "unauthorized", "GET")
    assert entry["ids"] == {"order_id": "o1"}
    assert "client" not in entry


async def test_what_is_asked_of_the_token_endpoint_is_recorded_with_the_client_it_claims(recorded: Recorded) -> None:
    async def tokens(scope: Any, receive: Any, send: Any) -> None:
        scope[CLAIMED] = "tvc_1"
        await send({"type": "http.response.start", "status": 401, "headers": []})
        await send({"type": "http.response.body", "body": b"{}"})

    house = recorded.house(mounts={"oauth": tokens})
    await house.ask("POST", "/oauth/token", {}, b"client_secret=SECRET")
    await house.ask("GET", "/oauth/jwks")
    [entry] = await recorded.entries()

    assert (entry["operation"], entry["claimed"], entry["status"]) == ("oauth/token", "tvc_1", 401)
    assert "client" not in entry
    assert "digest" not in entry


async def test_a_body_that_streams_is_digested_as_it_passes(recorded: Recorded, contract: Callable[..., str]) -> None:
    def stream(document: Any) -> None:
        document["paths"][ORDERS]["post"]["requestBody"] = {"content": {"application/octet-stream": {}}}

    house = recorded.house(contract(stream))
    sent = [b"a" * 500, b"b" * 500]
    await house.ask("POST", ORDERS, {"content-type": "application/octet-stream", "idempotency-key": "k-000001",
                                     "transfer-encoding": "chunked"}, *sent)  # fmt: skip
    [entry] = await recorded.entries()

    assert entry["digest"] == hashlib.sha256(b"".join(sent)).hexdigest()


async def test_nothing_is_changed_that_could_not_be_recorded(recorded: Recorded) -> None:
    recorded.log = recorded.open(Audit(buffer=100))
    house = recorded.house()
    for _ in range(100):
        recorded.log.add(Entry(recorded.log.now(), operation="o"), admitted=True)
    write, read = await house.submit({"quote": "q"}), await house.ask("GET", f"{ORDERS}/o1")

    assert (write.status, write.headers["retry-after"], read.status) == (503, "5", 200)
    assert [scope["path"] for scope in house.echo.scopes] == [f"{ORDERS}/o1"]


async def test_without_the_promise_writes_go_on(recorded: Recorded) -> None:
    recorded.log = recorded.open(Audit(buffer=100, on_failure="drop_and_count"))
    house = recorded.house()
    for _ in range(100):
        recorded.log.add(Entry(recorded.log.now(), operation="o"), admitted=True)

    assert (await house.submit({"quote": "q"})).status == 200
