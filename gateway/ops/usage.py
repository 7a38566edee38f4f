"""Usage over the gateway's own API: everybody's for those who run it, its own for a partner."""

from typing import Annotated
from urllib.parse import urlencode

from fastapi import Query, Response
from pydantic import Field

from contracts.models.base import Day
from contracts.models.partner import Usage
from gateway.house import House
from gateway.ops.own import own
from gateway.partners.usage import UsageBook, Wanted
from kernel.api import Api
from kernel.tenancy import FILTERED

HERE = "/ops/gateway/v1/usage"
ClientId = Annotated[str | None, Query(min_length=1, max_length=255, pattern=r"^[!-~]+$")]
PartnerId = Annotated[str | None, Query(min_length=2, max_length=63, pattern=r"^[a-z][a-z0-9-]*[a-z0-9]$")]
OperationId = Annotated[str | None, Query(min_length=1, max_length=255, pattern=r"^[!-~]+$")]
_Class = Annotated[str, Field(pattern=r"^([1-5]xx|none)$", examples=["2xx"])]
Class = Annotated[_Class | None, Query(description="The class of the answers' status")]
When = Annotated[Day | None, Query(description="A day (UTC), included")]
Cursor = Annotated[str | None, Query(min_length=1, max_length=1200, pattern=r"^[A-Za-z0-9_-]+$")]
Limit = Annotated[int, Query(ge=1, le=500)]


def declare_usage(api: Api, house: House) -> None:
    @api.get("/usage", scope="gateway:read", headers=("Link",), audience="partner", tenancy=FILTERED)
    async def list_usage(
        response: Response,
        client_id: ClientId = None,
        partner: PartnerId = None,
        operation: OperationId = None,
        status: Class = None,
        since: When = None,
        until: When = None,
        cursor: Cursor = None,
        limit: Limit = 100,
    ) -> Usage:
        """Calls by day, client, operation and status class, the latest day first. A partner is shown its own."""
        wanted = Wanted(client_id, partner, operation, _class(status), since, until)
        page = await UsageBook(house.database).page(wanted, Wanted(**own()), cursor, limit)
        if page.next:
            asked = {
                "client_id": client_id, "partner": partner, "operation": operation, "status": status, "since": since,
                "until": until, "cursor": page.next, "limit": limit,
            }  # fmt: skip
            query = urlencode({name: said for name, said in asked.items() if said is not None})
            response.headers["Link"] = f'<{HERE}?{query}>; rel="next"'
        return page


def _class(status: str | None) -> int | None:
    return None if status is None else 0 if status == "none" else int(status[0])
