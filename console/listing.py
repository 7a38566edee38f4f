"""The first page: every API the reader sees, by what is known of it, and what a question finds."""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request

from console.session import PLACE
from governance.catalog.catalog import FACETS, Catalog, Listed
from governance.catalog.search import LONGEST

MOST = 40  # results


def first_page(catalog: Catalog, request: Request) -> Mapping[str, Any]:
    wanted = _wanted(request)
    shown = catalog.where(wanted)
    return {**results(catalog, request), "shown": shown, "facets": _facets(catalog, shown, wanted), "wanted": wanted}


def results(catalog: Catalog, request: Request) -> Mapping[str, Any]:
    """What the question finds, within the facets that are chosen."""
    question = request.query_params.get("q", "")[:LONGEST].strip()
    keys = {listed.key for listed in catalog.where(_wanted(request))}
    found = [entry for entry in catalog.index.search(question, most=400) if entry.key in keys][:MOST]
    return {"question": question, "found": found}


def _wanted(request: Request) -> dict[str, str]:
    return {name: request.query_params[name] for name in FACETS if request.query_params.get(name)}


def _facets(catalog: Catalog, shown: Sequence[Listed], wanted: Mapping[str, str]) -> list[dict[str, Any]]:
    counted = catalog.facets(shown)
    found = []
    for name in FACETS:
        choices = [
            {"value": value, "count": count, "chosen": wanted.get(name) == value, "leads_to": _other(wanted, name, value)}
            for value, count in counted[name].items()
        ]
        if len(choices) > 1 or name in wanted:
            found.append({"name": name, "choices": choices})
    return found


def _other(wanted: Mapping[str, str], name: str, value: str) -> str:
    """The page with this value chosen, or, where it is, not chosen any more."""
    said = {key: kept for key, kept in wanted.items() if key != name}
    if wanted.get(name) != value:
        said[name] = value
    return f"{PLACE}?{urlencode(said)}" if said else PLACE
