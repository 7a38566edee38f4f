"""Counting in this process: what each limit says to one more call, and the cells that remember. Times are in microseconds.

`look` says what would become of one more call and changes nothing but a window that is over; `take` then counts that call. So a
call that one limit refuses costs nothing from the others. A clock that is put back never gives quota back.
"""

from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from gateway.pipeline import Limit

SECOND = 1_000_000  # microseconds
DAY = 86_400 * SECOND
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Verdict(NamedTuple):
    """What one limit says to one call. `reset`: whole seconds until more than `remaining` can be had; 0: nobody knows."""

    limit: Limit
    admitted: bool
    remaining: int
    reset: int


class Sliding:
    """The count of the window that the clock is in, and of the one before, which weighs in by the share that still covers it."""

    __slots__ = ("__weakref__", "count", "number", "previous")

    def __init__(self) -> None:
        self.number, self.count, self.previous = 0, 0, 0

    def look(self, limit: Limit, now: int) -> Verdict:
        now, window = now // 1000, limit.window * 1000
        number = now // window
        if number != self.number:
            now = self._turn(number, now, window)
        if self.previous:
            return judge(limit, now, self.previous, self.count + 1)
        left = limit.quota - self.count - 1
        if left > 0:
            return Verdict(limit, True, left, (window - now % window + 999) // 1000)
        return judge(limit, now, 0, self.count + 1)

    def take(self) -> None:
        self.count += 1

    def _turn(self, number: int, now: int, window: int) -> int:
        """Enters the window of this number; answers the time to reckon with."""
        ahead = number - self.number
        if ahead == -1:  # clocks that differ a little: it is as late as it was
            return self.number * window
        if ahead > 0:
            self.previous, self.count = self.count if ahead == 1 else 0, 0
        self.number = number
        return now


def judge(limit: Limit, now: int, previous: int, count: int) -> Verdict:
    """`now` in milliseconds; `count` includes the call in question; `previous` is that of the window before."""
    quota, window = limit.quota, limit.window * 1000
    ahead = window - now % window
    previous = min(previous, quota)
    left = quota - previous * ahead // window - count
    if left > 0:
        return Verdict(limit, True, left, -(-ahead // 1000))
    others = count if left == 0 else count - 1
    return Verdict(limit, left == 0, 0, -(-_until_room(quota - others, window, ahead, previous) // 1000))


def _until_room(room: int, window: int, ahead: int, previous: int) -> int:
    """Milliseconds until one more call fits, if nobody else calls: the weight of the window before only shrinks."""
    if room <= 0:
        return ahead + 1
    return max(ahead - (room * window - 1) // previous, 1) if previous else 1


def gap(limit: Limit) -> int:
    """Microseconds between calls, such that no stretch of a window's length ever sees more than the quota, its burst included."""
    return -(-limit.window * SECOND // (limit.quota - limit.burst + 1))


class Gcra:
    """The generic cell rate algorithm: the time at which the next call would be due if calls came evenly."""

    __slots__ = ("__weakref__", "_next", "due")

    def __init__(self) -> None:
        self.due, self._next = 0, 0

    def look(self, limit: Limit, now: int) -> Verdict:
        step = gap(limit)
        slack = limit.burst * step
        if self.due > now + slack + limit.window * SECOND:  # the clock was put back: as much is used up as can be
            self.due = now + slack
        self._next = after = max(self.due, now) + step
        room = now + slack - after
        if room < step:  # no further call; `room` is less than 0 if not even this one
            wait = -room if room < 0 else step - room
            return Verdict(limit, room >= 0, 0, -(-wait // SECOND))
        return Verdict(limit, True, room // step, -(-(after - now) // SECOND))

    def take(self) -> None:
        self.due = self._next


class Period:
    """The count of a day or month of the calendar, UTC."""

    __slots__ = ("__weakref__", "begin", "count", "end")

    def __init__(self) -> None:
        self.begin, self.end, self.count = 0, 0, 0

    def look(self, limit: Limit, now: int) -> Verdict:
        if now >= self.end:
            self.begin, self.end = period(limit.kind, now)
            self.count = 0
        elif now < self.begin - DAY:  # the clock was put back: the period is another, what was taken stays taken
            self.begin, self.end = period(limit.kind, now)
        left = limit.quota - self.count - 1
        return Verdict(limit, left >= 0, max(left, 0), -(-(self.end - now) // SECOND))

    def take(self) -> None:
        self.count += 1


def period(kind: str, now: int) -> tuple[int, int]:
    """Beginning and end of the day or month."""
    if kind == "day":
        return now - now % DAY, now - now % DAY + DAY
    first = (EPOCH + timedelta(microseconds=now)).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    following = (first + timedelta(days=31)).replace(day=1)
    return int(first.timestamp()) * SECOND, int(following.timestamp()) * SECOND


class Concurrent:
    """How many calls are under way."""

    __slots__ = ("__weakref__", "count")

    def __init__(self) -> None:
        self.count = 0

    def look(self, limit: Limit, now: int) -> Verdict:
        left = limit.quota - self.count - 1
        return Verdict(limit, left >= 0, max(left, 0), 0 if left > 0 else 1)

    def take(self) -> None:
        self.count += 1


CELLS: dict[str, type[Sliding | Gcra | Period | Concurrent]] = {
    "sliding": Sliding, "gcra": Gcra, "day": Period, "month": Period, "concurrent": Concurrent,
}  # fmt: skip
