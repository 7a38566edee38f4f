"""Billing periods in UTC: the anchor's day of month, clamped to short months, never drifting."""

from calendar import monthrange
from datetime import UTC, datetime

_DAYS = {"day": 1, "week": 7}
DAY = 24 * 3600


def after(anchor: int, interval: str, count: int) -> int:
    """The time `count` intervals after an anchor; both Unix seconds. 31 January plus one month is 28 or 29 February."""
    if interval in _DAYS:
        return anchor + count * _DAYS[interval] * DAY
    start = datetime.fromtimestamp(anchor, UTC)
    months = start.year * 12 + start.month - 1 + count * (12 if interval == "year" else 1)
    year, month = divmod(months, 12)
    day = min(start.day, monthrange(year, month + 1)[1])
    return int(start.replace(year=year, month=month + 1, day=day).timestamp())


def period_at(anchor: int, interval: str, count: int, at: int) -> tuple[int, int]:
    """The half-open period [start, end) that holds a time, counted from the anchor."""
    step = 0
    while after(anchor, interval, (step + 1) * count) <= at:
        step += 1
    if at < anchor:
        return at, anchor
    return after(anchor, interval, step * count), after(anchor, interval, (step + 1) * count)
