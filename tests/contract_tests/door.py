"""The door before every promised operation, with real tokens and real limits; behind it stands an application that says yes."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from joserfc.jwk import ECKey
from prometheus_client import CollectorRegistry
from starlette.types import Receive, Scope, Send

from gateway.contracts import load
from gateway.dispatch import Dispatch, InProcess
from gateway.door import Door
from gateway.limits.grants import grants
from gateway.limits.limiter import Limiter
from gateway.oauth.jws import sign
from gateway.oauth.server import AuthorizationServer, open_server
from gateway.observe import AccessLog, Metrics
from gateway.pipeline import Operation
from gateway.policies import Means, policies
from gateway.policies.authenticate import authenticate
from gateway.policies.trace import Observation
from kernel.db import Database
from kernel.settings import Settings
from tests.contract_tests.contract_files import ROOT, Promise, scopes, validator
from tests.gateway.conftest import Answer, FakeClock, ask

URL = "https://api.example.test"
CORRELATION = "contract-tests-0001"
GRANTS = grants(Settings.model_construct())  # as policies have them where nothing is configured
OK = [(b"content-type", b"application/json"), (b"content-length", b"2")]


class Willing:
    """Behind the door: counts what gets through."""

    def __init__(self) -> None:
        self.reached = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.reached += 1
        await send({"type": "http.response.start", "status": 200, "headers": OK})
        await send({"type": "http.response.body", "body": b"{}"})


@dataclass
class Entrance:
    """The door with its parts within reach."""

    door: Door
    server: AuthorizationServer
    clock: FakeClock
    behind: Willing
    limiter: Limiter
    operations: dict[tuple[str, str], Operation]

    def spend(self, client: str, promise: Promise, calls: int) -> None:
        """As if the client had made so many calls already; what it knows of the limiter's keys, the next call proves."""
        allowance = GRANTS.allowance(self.operations[promise.method, promise.path])
        for _ in range(calls):
            self.limiter.spend_here(client, allowance)

    def token(self, granted: list[str] | None = None, client: str = "contract-tests") -> str:
        return self.server.tokens.issue(client, scopes() if granted is None else granted)

    def forged(self, header: dict[str, Any] | None = None, key: ECKey | None = None, **claims: Any) -> str:
        """A token like ours in everything but what is said here, signed with our own key unless another is given."""
        now, ours = int(self.clock.now().timestamp()), self.server.trust.active_key()
        usual = {
            "iss": URL, "aud": URL, "sub": "contract-tests", "client_id": "contract-tests", "scope": " ".join(scopes()),
            "iat": now, "exp": now + 600, "jti": "contract-tests-1", "plan": "default",
        }  # fmt: skip
        head = {"alg": "ES256", "typ": "at+jwt", "kid": ours.kid, **(header or {})}
        return sign(head, {**usual, **claims}, key or ours.key)

    async def ask(self, promise: Promise, *chunks: bytes, token: str | None = "", target: str = "", **headers: str) -> Answer:
        """A request that keeps to the contract, but for what the test says. `token`: None sends none, "" one with every scope."""
        said = {"x-correlation-id": CORRELATION, **{name.lower(): value for name, value in promise.headers().items()}}
        if token is not None:
            said["authorization"] = f"Bearer {token or self.token()}"
        said |= {name.replace("_", "-"): value for name, value in headers.items()}
        said = {name: value for name, value in said.items() if value}
        body = chunks or ((json.dumps(promise.body).encode(),) if promise.takes_body else ())
        return await ask(self.door, promise.method, target or promise.target, said, body)


@asynccontextmanager
async def entrance(folder: Path) -> AsyncIterator[Entrance]:
    clock, behind = FakeClock(), Willing()
    database = Database(f"sqlite:///{folder / 'trivium.sqlite'}")
    await database.create_all()
    server = await open_server(database, public_url=URL, data=folder, clock=clock)
    metrics = Metrics(CollectorRegistry())
    operations, limiter = load(ROOT), Limiter(clock=clock)
    observation = Observation(metrics, AccessLog(lambda _: None, on_drop=metrics.dropped))
    chain = policies(Means(observation, authenticate(server.verifier), limiter))
    targets = {operation.api: InProcess(behind) for operation in operations}
    door = Door(operations, policies=chain, dispatch=Dispatch(targets))
    by_place = {(operation.method, operation.path): operation for operation in operations}
    yield Entrance(door, server, clock, behind, limiter, by_place)
    await server.close()
    await database.close()


def refused(answer: Answer, status: int, promise: Promise) -> dict[str, Any]:
    """The problem document, after checking all that every refusal owes its caller."""
    assert (answer.status, answer.headers["content-type"]) == (status, "application/problem+json"), answer.body
    problem: dict[str, Any] = answer.json()
    assert problem["status"] == status
    assert answer.headers["x-correlation-id"] == problem["correlation_id"] == CORRELATION
    wrong = [str(error) for error in validator({"$ref": "#/components/schemas/Problem"}, promise.document).iter_errors(problem)]
    assert wrong == []
    return problem
