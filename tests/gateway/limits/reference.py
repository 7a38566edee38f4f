"""What limits mean, said as simply as can be: everything is worked out anew from the list of the calls that were admitted."""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from math import ceil, floor

from gateway.limits.counting import EPOCH, SECOND, timedelta
from gateway.pipeline import Limit

Said = tuple[str, bool, int, int]  # policy, admitted, remaining, reset
DAY = 86_400 * SECOND


@dataclass
class Reference:
    """One limit of one client. Times in microseconds; the clock may go back, but not by more than a window."""

    limit: Limit
    admitted: list[int] = field(default_factory=list)  # when, as far as the clock had ever come
    held: int = 0
    now: int = 0
    latest: int = 0
    shared: bool = False  # on Redis a call that was refused leaves no trace; here the clock was seen

    def says(self, now: int) -> Said:
        """What becomes of one more call."""
        self.now, self.latest = now, max(self.latest, now)
        admitted, remaining, reset = getattr(self, self.limit.kind)(now)
        return self.limit.policy, admitted, remaining, reset

    def take(self) -> None:
        self.admitted.append(self._seen(self.now))
        self.held += 1

    def sliding(self, now: int) -> tuple[bool, int, int]:
        width = self.limit.window * SECOND
        counted = [at // width for at in self.admitted]
        window = max([now // width, *counted, 0 if self.shared else self.latest // width])
        at = max(now, window * width) // 1000 * 1000

        def fits(calls: int, counted: list[int], time: int) -> bool:
            share = Fraction(width - time % width, width)
            past = min(counted.count(time // width - 1), self.limit.quota)
            return floor(past * share) + counted.count(time // width) + calls <= self.limit.quota

        def wait(counted: list[int]) -> int:
            """Once a call fits it goes on to fit, if nobody else calls."""
            first = bisect_left(range(2 * width // 1000 + 1), True, key=lambda ms: fits(1, counted, at + ms * 1000))
            return ceil(Fraction(first, 1000))

        if not fits(1, counted, at):
            return False, 0, wait(counted)
        more = max(n for n in range(self.limit.quota + 1) if fits(1 + n, counted, at))
        return True, more, ceil(Fraction(width - at % width, SECOND)) if more else wait([*counted, window])

    def gcra(self, now: int) -> tuple[bool, int, int]:
        limit, due = self.limit, 0
        step = ceil(Fraction(limit.window * SECOND, limit.quota - limit.burst + 1))
        for at in self.admitted:
            due = max(due, at) + step

        def fits(calls: int, time: int) -> bool:
            return max(due, time) + calls * step <= time + limit.burst * step

        waits = (second for second in range(10 * limit.window) if fits(1, now + second * SECOND))
        if not fits(1, now):
            return False, 0, next(waits)
        more = max(n for n in range(limit.burst + 1) if fits(1 + n, now))
        after = max(due, now) + step
        if more:
            return True, more, ceil(Fraction(after - now, SECOND))
        return True, 0, max(1, ceil(Fraction(after + step - limit.burst * step - now, SECOND)))

    def day(self, now: int) -> tuple[bool, int, int]:
        current = self._seen(now) // DAY
        return self._period(now, [at // DAY for at in self.admitted], current, current * DAY + DAY)

    def month(self, now: int) -> tuple[bool, int, int]:
        when = EPOCH + timedelta(microseconds=self._seen(now))
        following = when.replace(year=when.year + when.month // 12, month=when.month % 12 + 1, day=1, hour=0, minute=0, second=0)
        end = int(following.replace(microsecond=0).timestamp()) * SECOND
        months = [(EPOCH + timedelta(microseconds=at)).strftime("%Y-%m") for at in self.admitted]
        return self._period(now, months, when.strftime("%Y-%m"), end)

    def _seen(self, now: int) -> int:
        return max([now, *self.admitted]) if self.shared else self.latest

    def _period(self, now: int, counted: Sequence[object], current: object, end: int) -> tuple[bool, int, int]:
        left = self.limit.quota - counted.count(current) - 1
        return left >= 0, max(left, 0), ceil(Fraction(end - now, SECOND))

    def concurrent(self, now: int) -> tuple[bool, int, int]:
        left = self.limit.quota - self.held - 1
        return left >= 0, max(left, 0), 0 if left > 0 else 1
