"""When a call is repeated: only where nothing is done twice, never sooner than told, with jitter, and not for ever."""

from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
IDEMPOTENT = SAFE | {"PUT", "DELETE"}  # RFC 9110 section 9.2.2
REFUSED_UNDONE = frozenset({429})
MAY_PASS = frozenset({408, 429, 503, 504})
UNDER_WAY = 409  # with Retry-After: the same call is being worked on


@dataclass(frozen=True)
class Retries:
    """`attempts` in all, `within` seconds in all; `longest_pause`: who is told to wait longer than that gives up at once."""

    attempts: int = 5
    within: float = 60.0
    first_pause: float = 0.25
    longest_pause: float = 20.0
    jitter: float = 0.25

    def pause(self, attempt: int, told: float | None, dice: float) -> float | None:
        """Seconds before the attempt after this one (from 1); None to give up. `told`: Retry-After; `dice`: 0 to 1."""
        if attempt >= self.attempts:
            return None
        if told is not None:
            return told * (1 + self.jitter * dice) if told <= self.longest_pause else None
        pause: float = min(self.longest_pause, self.first_pause * 2 ** (attempt - 1))
        return pause * (1 - self.jitter + self.jitter * dice)


def may_repeat(status: int | None, method: str, keyed: bool, told: float | None) -> bool:
    """Whether the same call may be sent again. `status`: None where no answer came."""
    harmless = keyed or method in IDEMPOTENT
    if status is None:
        return harmless
    if status == UNDER_WAY:
        return keyed and told is not None
    return status in (MAY_PASS if harmless else REFUSED_UNDONE)


def retry_after(value: str | None, now: datetime | None = None) -> float | None:
    """Seconds, of delay-seconds or an HTTP-date (RFC 9110 section 10.2.3); None for anything else."""
    if value is None:
        return None
    if value.isascii() and value.isdigit():
        return float(value[:9])
    try:
        then = parsedate_to_datetime(value)
    except ValueError:
        return None
    then = then if then.tzinfo else then.replace(tzinfo=UTC)
    return max(0.0, (then - (now or datetime.now(UTC))).total_seconds())
