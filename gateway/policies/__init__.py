"""The order of the door, read downwards: what comes later happens only if all above it agreed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from gateway.audit.recorder import AuditLog
from gateway.broken_promises import BrokenPromises
from gateway.cache import AnswerCache
from gateway.consumption.tally import FieldUse
from gateway.limits.grants import grants
from gateway.limits.limiter import Limiter
from gateway.partners.standing import PartnerStanding
from gateway.pipeline import Factory
from gateway.policies.addresses import Bindings, bind_addresses
from gateway.policies.audit import record_writes
from gateway.policies.body import limit_body
from gateway.policies.cache import cache
from gateway.policies.check_response import check_response
from gateway.policies.conditions import conditions
from gateway.policies.consumption import consumption
from gateway.policies.cors import cors
from gateway.policies.digest import name_contract
from gateway.policies.idempotency_key import require_idempotency_key
from gateway.policies.lifecycle import announce_lifecycle
from gateway.policies.limits import spend_limit
from gateway.policies.redact import redaction
from gateway.policies.replay import replay
from gateway.policies.scopes import require_scopes
from gateway.policies.shed import shed, shed_plans
from gateway.policies.tenancy import require_own_body, require_tenancy
from gateway.policies.trace import Observation, trace
from gateway.policies.validation import validate_request
from gateway.replays.store import Replays
from gateway.shedding import Load
from kernel.clock import Clock, SystemClock
from kernel.settings import Settings


@dataclass(frozen=True)
class Means:
    """What policies work with: opened once a process, but for `settings`, which a new configuration replaces.

    What is None is not there, and neither is its policy.
    """

    observation: Observation
    authenticate: Factory
    limiter: Limiter
    settings: Settings = field(default_factory=Settings.model_construct)
    partners: Mapping[str, PartnerStanding] | None = None
    load: Load | None = None
    replays: Replays | None = None
    answers: AnswerCache | None = None
    clock: Clock = field(default_factory=SystemClock)
    networks: Bindings | None = None
    clearance: Mapping[str, str] | None = None  # the scope that opens a class of fields
    promises: BrokenPromises | None = None
    audit: AuditLog | None = None
    consumption: FieldUse | None = None


def policies(means: Means) -> Sequence[Factory]:
    """The factories in their order."""
    return (
        trace(means.observation),  # name the call before anything can go wrong with it
        name_contract(),  # every answer says which promise it keeps
        cors(means.settings.door.cors),  # preflights are answered, and every answer says who may read it
        announce_lifecycle(means.clock),  # a retired version answers 410, a deprecated one says so
        shed(means.load),  # before anything waits
        record_writes(means.audit),  # what changes something is written down, refusals too
        limit_body,
        means.authenticate,
        shed_plans(means.load, means.settings.plans),  # what matters less, as only the caller's plan tells
        bind_addresses(means.networks),  # a client may be bound to its networks
        require_scopes,
        require_tenancy({} if means.partners is None else means.partners),  # partners see their own customers only
        require_idempotency_key,
        validate_request,
        consumption(means.consumption, means.settings.consumption),  # who uses which fields, of some calls
        require_own_body,  # tenancy, where the account is named in the body
        spend_limit(means.limiter, grants(means.settings)),  # charged only once the call is known to be allowed and well formed
        redaction(means.clearance, replayed=True),  # what is kept for a key is kept whole
        replay(means.replays),  # the same key gets the same answer
        conditions(),  # ETag, If-None-Match, If-Match
        cache(means.answers),  # what the contract says may be kept
        redaction(means.clearance, replayed=False),  # fields above the caller's clearance
        check_response(means.promises, means.settings.door),  # off, sample, enforce
    )
