"""Who may work on a write, decided purely from its row: claimed, already settled, or held by another."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import RowMapping

from kernel.problem import PlatformTimeout, Problem
from system_apis.guard.outbound_write import State, aware


@dataclass(frozen=True)
class Write:
    """One create as it was asked for. `fingerprint` stands for its content."""

    connection: str
    operation: str
    business_key: str
    fingerprint: str
    idempotency_key: str
    correlation_id: str

    @property
    def identity(self) -> tuple[str, str, str]:
        return self.connection, self.operation, self.business_key


@dataclass
class Claim:
    """The right to carry a write out, and all that is known of its earlier attempts; changed only by who holds it."""

    write: Write
    owner: str
    taken_at: datetime
    key: str
    fingerprint: str
    generation: int = 0
    doubtful: bool = False  # an attempt may have had its effect: look it up before anything is sent
    in_doubt_since: datetime | None = None
    key_spent: bool = False  # the platform would take the current key for something else
    failures: int = 0  # that the platform answered with, under the current key
    attempts: int = 1
    state: State = State.INTENDED  # how far it is known to have got; the row may still say SENT

    @property
    def platform_key(self) -> str:
        """The idempotency key sent to the platform; the first generation's is the caller's own."""
        return self.key if self.generation == 0 else f"{self.key}:{self.generation}"

    def renew_key(self) -> None:
        """A new generation with the present caller's content and key: only when nothing under the old one can come to be."""
        self.key, self.fingerprint = self.write.idempotency_key, self.write.fingerprint
        self.generation += 1
        self.failures, self.key_spent = 0, False

    def failed(self, problem: Problem, now: datetime) -> None:
        """Notes what an attempt's problem says about its effect."""
        if problem.ambiguous or (problem.status >= 500 and not problem.retryable):
            self.failures += not isinstance(problem, PlatformTimeout)
            self._doubt(now)
        elif problem.retryable:
            self.state = State.UNKNOWN if self.doubtful else State.INTENDED
        else:
            self.state = State.REJECTED

    def interrupted(self, now: datetime) -> None:
        """Cancelled, or failed in our own code; in doubt if the platform was at work or its answer was not kept."""
        if self.state is State.SENT:
            self._doubt(now)

    def _doubt(self, now: datetime) -> None:
        self.state, self.doubtful, self.in_doubt_since = State.UNKNOWN, True, now


@dataclass(frozen=True)
class Settled:
    """The write is confirmed; `result` is the object as JSON."""

    fingerprint: str
    result: dict[str, object]


@dataclass(frozen=True)
class Held:
    """Another owner works on it, until it answers or its lease is over."""

    until: datetime


def judge(row: RowMapping, write: Write, *, owner: str, process: str, now: datetime) -> Claim | Settled | Held:
    """What the row means to a new owner. Owners are named "{process}.{number}"."""
    if row["state"] == State.CONFIRMED:
        return Settled(row["fingerprint"], row["result"])
    lease_until = aware(row["lease_until"]) if row["lease_until"] else now
    if row["owner"] is not None and lease_until > now and not row["owner"].startswith(f"{process}."):
        return Held(lease_until)
    claim = Claim(
        write,
        owner,
        now,
        key=row["idempotency_key"],
        fingerprint=row["fingerprint"],
        generation=row["generation"],
        doubtful=row["doubtful"],
        in_doubt_since=aware(row["in_doubt_since"]) if row["in_doubt_since"] else None,
        failures=row["failures"],
        attempts=row["attempts"],
    )
    if row["state"] == State.SENT:
        claim.doubtful, claim.in_doubt_since = True, min(lease_until, now)
    claim.key_spent = row["state"] == State.REJECTED or row["fingerprint"] != write.fingerprint
    if claim.doubtful:
        claim.state = State.UNKNOWN
        return claim
    claim.attempts += 1
    if claim.key_spent:
        claim.renew_key()
    return claim
