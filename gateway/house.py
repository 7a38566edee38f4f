"""What every process of a deployment has in common: settings, database, authorization server, the door, and an orderly end."""

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from prometheus_client import REGISTRY
from starlette.types import ASGIApp

from gateway import contracts
from gateway.dispatch import Dispatch, Target
from gateway.door import Door
from gateway.limiter import Limiter, close_store, redis_store
from gateway.oauth.access_token import LIFETIME
from gateway.oauth.app import oauth_app
from gateway.oauth.forwarded import SCOPE as FORWARD
from gateway.oauth.forwarded import caller_header
from gateway.oauth.server import AuthorizationServer, open_server
from gateway.observe import AccessLog, Metrics
from gateway.pages import Check, pages
from gateway.pipeline import Caller, Operation
from gateway.policies import Means, policies
from gateway.policies.authenticate import authenticate
from gateway.policies.trace import Observation
from kernel.clock import Clock, SystemClock
from kernel.context import caller
from kernel.db import Database
from kernel.settings import Settings
from kernel.telemetry import configure_logs, configure_traces, span_of

CONTRACTS = Path(__file__).parent.parent / "contracts" / "openapi"
INTERNAL = "trivium-internal"  # our own processes among each other


@dataclass
class House:
    """One process while it is built: what is opened here is closed in reverse order at the end."""

    settings: Settings
    database: Database
    oauth: AuthorizationServer
    clock: Clock
    metrics: Metrics
    closing: AsyncExitStack
    promised: tuple[Operation, ...]
    checks: dict[str, Check] = field(default_factory=dict)
    _pass: tuple[str, float] = ("", 0.0)

    async def internal_token(self) -> str:
        """Proof that one of our own processes calls: signed with the key they share, renewed well before it ends."""
        token, until = self._pass
        now = self.clock.monotonic()
        if now >= until:
            token = self.oauth.tokens.issue(INTERNAL, [*sorted(scopes_of(self.promised)), FORWARD])
            self._pass = (token, now + LIFETIME / 2)
        return token

    async def internal_headers(self) -> dict[str, str]:
        """The pass, and for whom we call."""
        client = caller.get() or INTERNAL
        outer = caller_header(Caller(client, client, frozenset())).decode()
        return {"Authorization": f"Bearer {await self.internal_token()}", "X-Trivium-Caller": outer}

    def door(self, served: tuple[Operation, ...], targets: Mapping[str, Target], *, issues_tokens: bool) -> Door:
        """The door before these operations; with `issues_tokens` it also is the authorization server."""
        log = AccessLog(on_drop=self.metrics.dropped)
        traced = self.settings.telemetry.otlp_endpoint is not None
        observation = Observation(
            self.metrics, log, _span if traced else None, self.settings.telemetry.trace_ratio if traced else 0.0
        )
        chain = policies(Means(observation, authenticate(self.oauth.verifier), self._limiter(), self.settings))
        server = oauth_app(self.oauth, scopes=sorted(scopes_of(served)))
        mounts: dict[str, ASGIApp] = {"oauth": server, ".well-known": server} if issues_tokens else {}
        return Door(
            served,
            policies=chain,
            dispatch=Dispatch(targets),
            mounts=mounts,
            pages=pages(self.checks, self.metrics.registry),
            log=log,
        )

    def _limiter(self) -> Limiter:
        if not self.settings.redis_url:
            return Limiter(clock=self.clock)
        store = redis_store(self.settings.redis_url)
        self.closing.push_async_callback(close_store, store)
        return Limiter(store, clock=self.clock)


@asynccontextmanager
async def open_house(settings: Settings, service: str, clock: Clock | None = None) -> AsyncIterator[House]:
    """Opens what every process needs. The tables of everything imported by now are made if they are missing.

    Raises BadContract when the contracts cannot be enforced.
    """
    clock = clock or SystemClock()
    configure_logs(settings.telemetry)
    settings.data.mkdir(parents=True, exist_ok=True, mode=0o700)
    async with AsyncExitStack() as closing:
        traces = configure_traces(settings.telemetry, service)
        if traces is not None:
            closing.callback(traces.shutdown)
        database = Database(settings.database)
        closing.push_async_callback(database.close)
        await database.create_all()
        oauth = await open_server(
            database,
            public_url=settings.server.url,
            data=settings.data,
            clock=clock,
            audiences=settings.oauth.audiences,
            key_encryption=settings.oauth.key_encryption,
        )
        closing.push_async_callback(oauth.close)
        house = House(settings, database, oauth, clock, Metrics(REGISTRY), closing, contracts.load(CONTRACTS))
        house.checks["database"] = database.answers
        yield house


def scopes_of(promised: tuple[Operation, ...]) -> frozenset[str]:
    return frozenset(scope for operation in promised for scope in operation.scopes)


def _span(operation: Operation, traceparent: str):  # type: ignore[no-untyped-def]
    return span_of(operation.id, traceparent, **{"http.route": operation.path, "http.request.method": operation.method})
