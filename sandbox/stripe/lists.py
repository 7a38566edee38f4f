"""Lists as Stripe pages them: newest first, cursors are object ids, `has_more` says whether to go on."""

from collections.abc import Callable, Mapping
from itertools import islice
from typing import Any

from sandbox.stripe import errors
from sandbox.stripe.parameters import within
from sandbox.stripe.store import Table
from sandbox.stripe.wire import Wire, listing

Keep = Callable[[Wire], bool]


def page(
    table: Table, url: str, params: Mapping[str, Any], equal: Mapping[str, Any] | None = None, keep: Keep | None = None
) -> Wire:
    """One page of a table: the rows whose indexed values are `equal`, that `keep` keeps, in the asked-for range of `created`."""
    bounds = params.get("created")
    wanted = {name: value for name, value in (equal or {}).items() if value is not None}
    limit = params.get("limit") or 10
    after, before = _cursors(table, params)

    def kept(row: Wire) -> bool:
        return (bounds is None or within(row["created"], bounds)) and (keep is None or keep(row))

    if before is not None:
        found = list(islice(filter(kept, table.oldest_first(wanted, before)), limit + 1))
        return listing(url, found[:limit][::-1], len(found) > limit)
    found = list(islice(filter(kept, table.newest_first(wanted, after)), limit + 1))
    return listing(url, found[:limit], len(found) > limit)


def slice_of(rows: list[Wire], url: str, params: Mapping[str, Any]) -> Wire:
    """One page of a short list that has its own order (lines of an invoice)."""
    limit = params.get("limit") or 10
    places = {row["id"]: place for place, row in enumerate(rows)}
    for cursor in ("starting_after", "ending_before"):
        if params.get(cursor) and params[cursor] not in places:
            raise errors.no_such("object", params[cursor], cursor)
    if params.get("ending_before"):
        end = places[params["ending_before"]]
        return listing(url, rows[max(0, end - limit) : end], end > limit)
    start = places[params["starting_after"]] + 1 if params.get("starting_after") else 0
    return listing(url, rows[start : start + limit], len(rows) > start + limit)


def _cursors(table: Table, params: Mapping[str, Any]) -> tuple[str | None, str | None]:
    after, before = params.get("starting_after"), params.get("ending_before")
    if after and before:
        message = "You may not provide both starting_after and ending_before."
        raise errors.invalid(message, "ending_before", "parameters_exclusive")
    for name, cursor in (("starting_after", after), ("ending_before", before)):
        if cursor and cursor not in table.at:
            raise errors.no_such(table.noun, cursor, name)
    return after, before
