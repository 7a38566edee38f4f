"""The audit log over the gateway's own API: the latest entries first, page by page."""

from typing import Annotated
from urllib.parse import urlencode

from fastapi import Query, Response

from contracts.models.audit import AuditEntries
from contracts.models.base import Instant
from gateway.audit.reading import page
from gateway.audit.store import AuditStore, Wanted
from gateway.house import House
from kernel.api import Api

HERE = "/ops/gateway/v1/audit"
ClientId = Annotated[str | None, Query(min_length=1, max_length=255, pattern=r"^[!-~]+$")]
OperationId = Annotated[str | None, Query(min_length=1, max_length=255, pattern=r"^[!-~]+$")]
Since = Annotated[Instant | None, Query(description="From this moment on")]
Until = Annotated[Instant | None, Query(description="Before this moment")]
Cursor = Annotated[str | None, Query(min_length=1, max_length=300, pattern=r"^[A-Za-z0-9_-]+$")]
Limit = Annotated[int, Query(ge=1, le=200)]


def declare_audit(api: Api, house: House) -> None:
    @api.get("/audit", scope="gateway:read", headers=("Link",))
    async def list_audit_entries(
        response: Response,
        client_id: ClientId = None,
        operation: OperationId = None,
        since: Since = None,
        until: Until = None,
        cursor: Cursor = None,
        limit: Limit = 100,
    ) -> AuditEntries:
        """Who changed what, was refused, or failed to prove who they are; the latest first. `trivium audit verify` proves it."""
        found = await page(AuditStore(house.database), Wanted(client_id, operation, since, until), cursor, limit)
        if found.next:
            asked = {
                "client_id": client_id, "operation": operation, "since": since and since.isoformat(),
                "until": until and until.isoformat(), "cursor": found.next, "limit": limit,
            }  # fmt: skip
            query = urlencode({name: said for name, said in asked.items() if said is not None})
            response.headers["Link"] = f'<{HERE}?{query}>; rel="next"'
        return found
