"""Actual use over the gateway's own API: everybody's for those who run it, its own for a partner."""

from typing import Annotated
from urllib.parse import urlencode

from fastapi import Query, Response
from pydantic import Field

from contracts.models.base import Day
from contracts.models.consumption import Consumption
from gateway.consumption.book import FieldUseBook, Wanted
from gateway.house import House
from gateway.ops.own import own
from kernel.api import Api
from kernel.tenancy import FILTERED

HERE = "/ops/gateway/v1/consumption"
_Api = Annotated[
    str,
    Field(min_length=3, max_length=200, pattern=r"^[a-z0-9][a-z0-9_.-]*(/[a-z0-9_.-]+){1,3}$", examples=["process/quotes/v1"]),
]
ApiName = Annotated[_Api | None, Query(description="An API, with or without its major")]
ClientId = Annotated[str | None, Query(min_length=1, max_length=255, pattern=r"^[!-~]+$")]
OperationId = Annotated[str | None, Query(min_length=1, max_length=255, pattern=r"^[!-~]+$")]
When = Annotated[Day | None, Query(description="A day (UTC), included")]
Cursor = Annotated[str | None, Query(min_length=1, max_length=1800, pattern=r"^[A-Za-z0-9_-]+$")]
Limit = Annotated[int, Query(ge=1, le=500)]


def declare_consumption(api: Api, house: House) -> None:
    @api.get("/consumption", scope="gateway:read", headers=("Link",), audience="partner", tenancy=FILTERED)
    async def list_consumption(
        response: Response,
        api: ApiName = None,
        client_id: ClientId = None,
        operation: OperationId = None,
        since: When = None,
        cursor: Cursor = None,
        limit: Limit = 100,
    ) -> Consumption:
        """Which clients were seen to use which top-level fields, by day and version, the latest day first. Not every call is
        looked at: counts say that something is used, not how often. A partner is shown its own.
        """
        wanted = Wanted(api, client_id, None, operation, since)
        page = await FieldUseBook(house.database).page(wanted, Wanted(**own()), cursor, limit)
        if page.next:
            asked = {
                "api": api, "client_id": client_id, "operation": operation, "since": since, "cursor": page.next, "limit": limit,
            }  # fmt: skip
            query = urlencode({name: said for name, said in asked.items() if said is not None})
            response.headers["Link"] = f'<{HERE}?{query}>; rel="next"'
        return page
