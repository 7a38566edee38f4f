"""The order of the door, read downwards: what comes later happens only if all above it agreed."""

from collections.abc import Sequence

from gateway.limiter import Limiter
from gateway.pipeline import Factory
from gateway.policies.body import limit_body
from gateway.policies.idempotency_key import require_idempotency_key
from gateway.policies.limits import spend_limit
from gateway.policies.scopes import require_scopes
from gateway.policies.trace import Observation, trace
from gateway.policies.validation import validate_request


def policies(*, observation: Observation, authenticate: Factory, limiter: Limiter) -> Sequence[Factory]:
    """The factories in their order. `authenticate` brings its verifier, made where the issuers are known."""
    return (
        trace(observation),  # name the call before anything can go wrong with it
        # room for CORS and for shedding load, both before anything is read
        limit_body,
        authenticate,
        require_scopes,
        # room for partners, who see their own customers only
        require_idempotency_key,
        validate_request,
        spend_limit(limiter),  # charged only once the call is known to be allowed and well formed
        # room for idempotent replay, lifecycle headers, response checks, the audit log
    )
