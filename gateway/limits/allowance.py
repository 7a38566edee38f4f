"""An allowance: what one client may use of one operation, made ready at start for the counting and for the fields of the answer.

The fields are those of draft-ietf-httpapi-ratelimit-headers-10, structured as RFC 9651 has it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from gateway.limits.counting import Verdict
from gateway.limits.wire import Wire
from gateway.pipeline import Limit


@dataclass(frozen=True, eq=False)
class Allowance:
    """The limits in force. `processes`: how many share them out among each other where a limit is counted locally."""

    operation: str  # its id
    limits: tuple[Limit, ...]
    processes: int = 1

    @cached_property
    def described(self) -> bytes:
        """The RateLimit-Policy field; empty when everything is measured in the shadow."""
        return ", ".join(_described(limit) for limit in self.limits if not limit.shadow).encode()

    @cached_property
    def plain(self) -> bool:
        """Whether every limit is enforced, and none counts calls under way."""
        return not any(limit.shadow or limit.kind == "concurrent" for limit in self.limits)

    @cached_property
    def denied(self) -> bool:
        """Whether calls that cannot be counted where all processes see it are not admitted."""
        return any(limit.outage == "deny" and not limit.shadow for limit in self.limits)

    @cached_property
    def local(self) -> "Allowance":
        """This process's share of what may be counted in each process for itself; it may have no limits at all."""
        kept = tuple(_share(limit, self.processes) for limit in self.limits if limit.outage in ("", "local"))
        return Allowance(self.operation, kept)

    @cached_property
    def wire(self) -> Wire:
        """How it is asked of a Redis."""
        return Wire(self.operation, self.limits)


def _described(limit: Limit) -> str:
    named = f'"{limit.policy}";q={limit.quota}'
    match limit.kind:
        case "concurrent":
            return f'{named};qu="concurrent-requests"'
        case "day":
            return f"{named};w=86400"
        case "month":  # has no length in seconds; `t` says when it ends
            return named
    return f"{named};w={limit.window}"


def _share(limit: Limit, processes: int) -> Limit:
    return replace(limit, quota=max(1, limit.quota // processes), burst=limit.burst and max(1, limit.burst // processes))


def left(verdicts: Sequence[Verdict]) -> bytes:
    """The RateLimit field."""
    return ", ".join(
        [
            f'"{limit.policy}";r={remaining};t={reset}' if limit.kind != "concurrent" else f'"{limit.policy}";r={remaining}'
            for limit, _, remaining, reset in verdicts
        ]
    ).encode()  # fmt: skip
