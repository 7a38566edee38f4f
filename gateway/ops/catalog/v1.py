"""`ops/catalog` 1: the catalog for programs; whoever asks finds what they may call."""

from typing import Annotated, Literal

from fastapi import Path, Query, Response

from contracts.models.api_catalog import (
    ApiEntries,
    ApiEntry,
    ApiRelease,
    ApiReleases,
    CatalogResult,
    CatalogResults,
    Dependencies,
    Dependency,
)
from gateway.house import House
from gateway.ops.catalog.shown import HOME, entry, release
from gateway.pipeline import Caller
from governance.catalog.catalog import Catalog
from governance.catalog.reader import ANYBODY, reader_for
from kernel.api import Api
from kernel.context import caller
from kernel.problem import NotFound
from kernel.tenancy import without_customer_data

READ = "catalog:read"
HERE = "/ops/catalog/v1"
NOBODYS = without_customer_data("Contracts belong to no customer; each caller sees those it may call")
Word = Annotated[str, Path(min_length=1, max_length=100, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
Major = Annotated[str, Path(pattern=r"^v[0-9]{1,6}$", examples=["v1"])]
Question = Annotated[str, Query(min_length=1, max_length=200, examples=["quote validation"])]
Kind = Literal["api", "operation", "event", "schema", "field"]
Cursor = Annotated[str | None, Query(min_length=4, max_length=255, pattern=r"^[A-Za-z0-9][A-Za-z0-9._/-]*$")]


def catalog_api(house: House) -> Api:
    """The API over what this process's house promises."""
    api = Api(
        layer="ops", name="catalog", version="1.0.0", title="API catalog",
        description="The APIs of this gateway: found, described, connected, and what changed in them.",
        team="api-platform", scopes={READ: "Find and read the APIs one may call"}, audience="partner",
    )  # fmt: skip
    _declare_apis(api, house)

    @api.get("/results", scope=READ, tenancy=NOBODYS)
    async def search_catalog(
        q: Question, kind: Kind | None = None, limit: Annotated[int, Query(ge=1, le=100)] = 20
    ) -> CatalogResults:
        """What fits a question, word by word: exactly, as a beginning, or nearly; the best first."""
        found = (await _seen(house)).index.search(q, limit, kind or "")
        items = [
            CatalogResult(kind=one.kind, name=one.name[:255], key=one.key, text=one.text[:4000], page=f"{HOME}/{one.page}")
            for one in found
        ]
        return CatalogResults(items=items)

    @api.get("/dependencies", scope=READ, tenancy=NOBODYS)
    async def list_dependencies(known: Literal["declared", "observed"] | None = None) -> Dependencies:
        """Who calls whom, from the application to the platform's account: declared by contracts and applications, or observed."""
        edges = [one for one in (await _seen(house)).map.edges if known in (None, one.kind)]
        items = [Dependency(source=one.source, to=one.to, operations=list(one.operations), kind=one.kind) for one in edges]
        return Dependencies(items=items[:10_000])

    @api.get("/releases", scope=READ, tenancy=NOBODYS)
    async def list_releases(limit: Annotated[int, Query(ge=1, le=100)] = 20) -> ApiReleases:
        """What was published, the latest first, with what each release changed for its callers."""
        found: list[ApiRelease] = [release(one) for one in (await _seen(house)).changes if one.at]
        return ApiReleases(items=found[:limit])

    return api


def _declare_apis(api: Api, house: House) -> None:
    @api.get("/apis", scope=READ, headers=("Link",), tenancy=NOBODYS)
    async def list_apis(response: Response, cursor: Cursor = None, limit: Annotated[int, Query(ge=1, le=50)] = 50) -> ApiEntries:
        """The APIs with their operations, by key, a page at a time."""
        known = sorted((await _seen(house)).apis.items())
        left = [listed for key, listed in known if cursor is None or key > cursor]
        more = left[limit - 1].key if len(left) > limit else None
        if more:
            response.headers["Link"] = f'<{HERE}/apis?cursor={more}&limit={limit}>; rel="next"'
        return ApiEntries(items=[entry(listed) for listed in left[:limit]], next=more)

    @api.get("/apis/{layer}/{name}/versions/{major}", scope=READ, tenancy=NOBODYS)
    async def get_api(layer: Word, name: Word, major: Major) -> ApiEntry:
        """One major version of an API, how it stands, and its operations."""
        found = (await _seen(house)).apis.get(f"{layer}/{name}/{major}")
        if found is None:
            raise NotFound(f"there is no {layer}/{name}/{major} for you")
        return entry(found)


async def _seen(house: House) -> Catalog:
    """The caller's part of the catalog."""
    whole = await house.library.of(house.settings, house.promised, house.clock.now().date())
    who = caller.get()
    if not isinstance(who, Caller):
        return whole.seen_by(ANYBODY)
    return whole.seen_by(reader_for(who.scopes, restricted=bool(who.partner) or who.accounts is not None))
