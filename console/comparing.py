"""What changed: the versions of an API beside each other, and the news of all of them."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from starlette.requests import Request

from console.drawing import drawing
from console.room import listed_in
from governance.catalog.catalog import Catalog
from governance.catalog.history import Change, Version, compared
from kernel.problem import NotFound

MOST = 50  # changes on one page


def versions_page(catalog: Catalog, request: Request) -> Mapping[str, Any]:
    listed = listed_in(catalog, request)
    known = catalog.versions(listed)
    return {
        "listed": listed, "known": known, "changes": catalog.changes_of(listed), "chosen": _chosen(known, request),
        "others": [key for key in catalog.apis if key.rpartition("/")[0] == listed.contract.api and key != listed.key],
    }  # fmt: skip


def changes_page(catalog: Catalog, request: Request) -> Mapping[str, Any]:
    return {"changes": [change for change in catalog.changes if change.at][:MOST]}


def map_page(catalog: Catalog, request: Request) -> Mapping[str, Any]:
    titles = {point.id: point.title for point in catalog.map.points}
    return {"map": catalog.map, "drawing": drawing(catalog.map), "titles": titles}


def _chosen(known: list[Version], request: Request) -> Change | None:
    """Two versions that the reader picked. Raises NotFound for one that there is not."""
    old, new = request.query_params.get("from"), request.query_params.get("to")
    if not old or not new:
        return None
    by_name = {version.name: version for version in known}
    for name in (old, new):
        if name not in by_name:
            raise NotFound(f"there is no version {name[:40]}")
    return compared(by_name[old], by_name[new], datetime.now(UTC).date())
