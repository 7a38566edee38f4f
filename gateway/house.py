"""What every process of a deployment has in common: settings, database, authorization server, the door, and an orderly end."""

from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path

from starlette.types import ASGIApp

from gateway.audit.opening import open_audit
from gateway.audit.recorder import AuditLog
from gateway.broken_promises import BrokenPromises
from gateway.cache import AnswerCache
from gateway.configuration.check import Checked
from gateway.configuration.control import Control
from gateway.consumption.tally import FieldUse
from gateway.decisions.log import DecisionLog
from gateway.dispatch import Dispatch, Target
from gateway.door import Door
from gateway.ingress import Bounds
from gateway.library import Library
from gateway.limits.limiter import Limiter
from gateway.oauth.app import oauth_app
from gateway.oauth.rotation import Rotation
from gateway.oauth.server import AuthorizationServer
from gateway.observe import AccessLog, Metrics
from gateway.pages import Check, pages
from gateway.pipeline import Call, Caller, Operation
from gateway.policies import Means, policies
from gateway.policies.authenticate import authenticate
from gateway.policies.trace import Observation
from gateway.proxies import Proxies
from gateway.replays.store import Replays
from gateway.services.foreign import Foreign, Opened
from gateway.services.foreign import Means as Surroundings
from gateway.services.overlay import Governed
from gateway.shedding import Load
from gateway.upstreams.lease import Lease
from kernel.clock import Clock
from kernel.context import caller
from kernel.db import Database
from kernel.settings import Settings
from kernel.telemetry import span_of

CONTRACTS = Path(__file__).parent.parent / "contracts" / "openapi"


@dataclass
class House:
    """One process while it is built: what is opened here is closed in reverse order at the end.

    What must outlive a change of the configuration (counters, logs, stores) is opened once, in `open_house`, and is a field.
    What `means` and `door` build is built anew for each configuration, from `settings` and `promised`, and closed with `closing`.
    """

    settings: Settings
    database: Database
    oauth: AuthorizationServer
    clock: Clock
    metrics: Metrics
    closing: AsyncExitStack
    promised: tuple[Operation, ...]
    log: AccessLog
    limiter: Limiter
    digest: str = ""  # of the configuration
    decisions: DecisionLog | None = None
    control: Control | None = None
    checks: dict[str, Check] = field(default_factory=dict)
    replays: Replays | None = None
    load: Load | None = None
    promises: BrokenPromises | None = None
    audit: AuditLog | None = None
    consumption: FieldUse | None = None
    services: Mapping[str, Governed] = field(default_factory=dict)  # those that are not ours, by API
    foreign: Foreign = field(default_factory=Foreign)
    library: Library = field(default_factory=Library)

    async def proof(self, call: Call) -> list[tuple[bytes, bytes]]:
        """For whom we pass a call on to another of our processes, and that it is us."""
        token = await self.oauth.hops.token(call.caller, call.operation.scopes)
        return [(b"authorization", b"Bearer " + token.encode())]

    async def internal_headers(self, scopes: frozenset[str]) -> dict[str, str]:
        """The same for a call of our own, for whoever the work is done for."""
        return {"Authorization": f"Bearer {await self.oauth.hops.token(caller.get(), scopes)}"}

    def under(self, found: Checked, closing: AsyncExitStack) -> "House":
        """The same house under another configuration; `closing` is that configuration's own."""
        digest, services = found.bundle.digest, found.services
        return replace(
            self, settings=found.settings, promised=found.operations, services=services, digest=digest, closing=closing
        )

    def goes_by(self, found: Checked) -> None:
        """The configuration that is in force from now on, for what is not built anew with it."""
        self.settings, self.promised, self.digest = found.settings, found.operations, found.bundle.digest
        if self.decisions is not None:
            self.decisions.settings = found.settings.decisions

    def means(self) -> Means:
        """What the policies of one configuration work with."""
        traced = self.settings.telemetry.otlp_endpoint is not None
        observation = Observation(
            self.metrics, self.log, _span if traced else None, self.settings.telemetry.trace_ratio if traced else 0.0,
            None if self.decisions is None else self.decisions.under(self.digest, self.settings.decisions),
        )  # fmt: skip
        partners = self.oauth.trust.partners
        kept = AnswerCache(self.settings.cache, self.clock)
        return Means(
            observation,
            authenticate(self.oauth.verifier),
            self.limiter,
            self.settings,
            partners=partners,
            replays=self.replays,
            answers=kept,
            load=self.load,
            clock=self.clock,
            networks=self.oauth.trust.networks,
            clearance=self.settings.door.clearance,
            promises=self.promises,
            audit=self.audit,
            consumption=self.consumption,
        )

    def _inner_means(self) -> Means:
        """Between our own processes: their tokens alone are good there, and partners were judged at the door in front."""
        inner = authenticate(self.oauth.inner)
        return replace(self.means(), authenticate=inner, partners=None, replays=None, answers=None, networks=None, clearance=None)

    @property
    def grantable(self) -> frozenset[str]:
        """Every scope that a client can have: what contracts ask for, and what opens a class of fields."""
        return scopes_of(self.promised) | frozenset(self.settings.door.clearance.values())

    def record(self) -> None:
        """From now on who changes something is written down, until the orderly end."""
        if self.settings.audit.enabled:
            self.audit = open_audit(self.database, self.settings.data, self.settings.audit, self.clock, self.metrics.registry)
            self.closing.callback(self.metrics.registry.unregister, self.audit)
            self.closing.push_async_callback(self.audit.close)
            self.audit.start()

    def rotate_keys(self) -> None:
        """On schedule from now on; of all processes that do, one rotates."""
        rotation = Rotation(self.oauth.keys, self.settings.oauth.key_rotation_days * 86_400)
        rotation.start()
        self.closing.push_async_callback(rotation.close)

    async def open_foreign(self) -> Opened:
        """What this configuration says of services that are not ours, and of where calls go besides. Raises SecretMissing."""
        means = Surroundings(self.settings.data, self.clock, Lease(self._holds), self.proof)
        return await self.foreign.open(self.settings, self.services, means, self.closing)

    async def _holds(self, holder: Caller) -> bool:
        await self.oauth.trust.current()
        return self.oauth.trust.allows(holder.token_id, holder.client, holder.issued_at)

    def door(
        self, served: tuple[Operation, ...], targets: Mapping[str, Target], *, issues_tokens: bool, foreign: Opened | None = None
    ) -> Door:
        """The door before these operations; with `issues_tokens` it also is the authorization server."""
        server = oauth_app(self.oauth, scopes=sorted(scopes_of(served) | set(self.settings.door.clearance.values())))
        mounts: dict[str, ASGIApp] = {"oauth": server, ".well-known": server} if issues_tokens else {}
        if issues_tokens and self.settings.catalog.enabled:
            from gateway.catalog import desk, pages_of  # costs start-up time, and only the outermost door shows pages

            mounts["catalog"] = pages_of(desk(self.settings, self.promised, self.oauth, self.clock, self.library, server))
        # inner doors keep no answers: the layers behind them know their keys
        means = self.means() if issues_tokens else self._inner_means()
        door = Door(
            served,
            policies=policies(means),
            dispatch=Dispatch(targets) if foreign is None else foreign.dispatch(targets, served),
            mounts=mounts,
            pages=pages(self.checks, self.metrics.registry, None if self.control is None else self.control.standing.about),
            log=self.log,
            bounds=self._bounds(),
            proxies=self._proxies(),
        )
        if means.observation.decisions is not None:
            means.observation.decisions.chains = door.chains
        return door

    def _bounds(self) -> Bounds:
        said = self.settings.door
        return Bounds(said.most_headers, said.largest_head, said.longest_header, said.longest_target)

    def _proxies(self) -> Proxies | None:
        server = self.settings.server
        return Proxies(server.trusted_proxies, server.proxy_header) if server.trusted_proxies else None


def scopes_of(promised: tuple[Operation, ...]) -> frozenset[str]:
    return frozenset(scope for operation in promised for scope in operation.scopes)


def _span(operation: Operation, traceparent: str):  # type: ignore[no-untyped-def]
    return span_of(operation.id, traceparent, **{"http.route": operation.path, "http.request.method": operation.method})
