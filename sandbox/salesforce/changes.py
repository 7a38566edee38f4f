"""Which rows changed or went away between two moments: `updated` and `deleted`, to whole minutes as Salesforce counts."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from sandbox.salesforce import wire
from sandbox.salesforce.errors import ApiError
from sandbox.salesforce.store import Table

LONGEST_WINDOW = timedelta(days=30)


def updated(table: Table, query: Mapping[str, str], now: datetime) -> dict[str, Any]:
    start, end = _window(query, now)
    found = [id_ for id_ in table.changed_since(start) if table.live[id_]["SystemModstamp"] < end]
    return {"ids": sorted(found), "latestDateCovered": min(end, wire.stamp(now))}


def deleted(table: Table, query: Mapping[str, str], now: datetime) -> dict[str, Any]:
    start, end = _window(query, now)
    gone = [
        {"id": id_, "deletedDate": record["SystemModstamp"]}
        for id_, record in table.deleted.items()
        if start <= record["SystemModstamp"] < end
    ]
    earliest = wire.stamp((now - LONGEST_WINDOW).replace(microsecond=0))
    return {"deletedRecords": gone, "earliestDateAvailable": earliest, "latestDateCovered": min(end, wire.stamp(now))}


def _window(query: Mapping[str, str], now: datetime) -> tuple[str, str]:
    start, end = _minute(query, "start"), _minute(query, "end")
    if start >= end:
        raise ApiError(400, "INVALID_REPLICATION_DATE", "startDate and endDate are invalid: startDate must be before endDate")
    if start < now - LONGEST_WINDOW - timedelta(minutes=1):
        raise ApiError(400, "INVALID_REPLICATION_DATE", "startDate before org's replication-enabled date: at most 30 days ago")
    return wire.stamp(start), wire.stamp(end)


def _minute(query: Mapping[str, str], name: str) -> datetime:
    """A parameter's moment with its seconds dropped."""
    given = query.get(name)
    if given is None:
        raise ApiError(400, "MISSING_ARGUMENT", f"{name} is a required parameter")
    try:
        parsed = datetime.fromisoformat(given)
    except ValueError:
        raise ApiError(400, "INVALID_REPLICATION_DATE", f"{name}: invalid date: {given}") from None
    return (parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).replace(second=0, microsecond=0)
