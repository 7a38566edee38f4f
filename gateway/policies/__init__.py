"""The order of the door, read downwards: what comes later happens only if all above it agreed."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from gateway.limiter import Limiter
from gateway.pipeline import Factory
from gateway.policies.body import limit_body
from gateway.policies.idempotency_key import require_idempotency_key
from gateway.policies.limits import spend_limit
from gateway.policies.scopes import require_scopes
from gateway.policies.trace import Observation, trace
from gateway.policies.validation import validate_request
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


def policies(means: Means) -> Sequence[Factory]:
    """The factories in their order."""
    return (
        trace(means.observation),  # name the call before anything can go wrong with it
        # here: cors - preflights are answered, and every answer says who may read it
        # here: lifecycle - a retired version answers 410, a deprecated one says so
        # here: shed - before anything waits
        limit_body,
        # here: audit - what changes something is written down, refusals too
        means.authenticate,
        # here: addresses - a client may be bound to its networks
        require_scopes,
        # here: tenancy - partners see their own customers only
        require_idempotency_key,
        validate_request,
        spend_limit(means.limiter),  # charged only once the call is known to be allowed and well formed
        # here: replay - the same key gets the same answer
        # here: conditions - ETag, If-None-Match, If-Match
        # here: cache - what the contract says may be kept
        # here: redact - fields above the caller's clearance
        # here: check_response - off, sample, enforce
    )
