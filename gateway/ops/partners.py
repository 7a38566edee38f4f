"""Partners over the gateway's own API: registered, put on a plan, given accounts and clients, suspended and resumed."""

from collections.abc import Callable
from typing import Annotated

from fastapi import Path, Query, Response

from contracts.models.partner import (
    AccountsChange,
    Because,
    ClientSecret,
    NewPartner,
    NewPartnerClient,
    Partner,
    Partners,
    PlanChange,
)
from gateway.house import House
from gateway.partners.store import PartnerStore
from kernel.api import Api, IdempotencyKey
from kernel.problem import Conflict

HERE = "/ops/gateway/v1/partners"
READ, WRITE = "gateway:read", "gateway:write"
PartnerId = Annotated[str, Path(min_length=2, max_length=63, pattern=r"^[a-z][a-z0-9-]*[a-z0-9]$", examples=["acme"])]
Cursor = Annotated[str | None, Query(max_length=63, pattern=r"^[a-z][a-z0-9-]*[a-z0-9]$")]
Limit = Annotated[int, Query(ge=1, le=200)]


def store_of(house: House) -> PartnerStore:
    return PartnerStore(house.database, house.oauth.clients, house.clock, house.grantable)


def declare_partners(api: Api, house: House) -> None:
    def store() -> PartnerStore:
        return store_of(house)

    @api.post("/partners", scope=WRITE, status=201, headers=("Location",), links={"get_partner": "partner_id"})
    async def add_partner(new: NewPartner, idempotency_key: IdempotencyKey, response: Response) -> Partner:
        """Registers a partner under an id of your choice. The same again changes nothing; another under that id is refused."""
        response.headers["Location"] = f"{HERE}/{new.id}"
        return await store().add(new)

    @api.get("/partners", scope=READ, headers=("Link",))
    async def list_partners(response: Response, cursor: Cursor = None, limit: Limit = 50) -> Partners:
        """The partners by id, a page at a time."""
        found = await store().page(cursor, limit + 1)
        more = found[limit - 1].id if len(found) > limit else None
        if more:
            response.headers["Link"] = f'<{HERE}?cursor={more}&limit={limit}>; rel="next"'
        return Partners(items=list(found[:limit]), next=more)

    @api.get("/partners/{partner_id}", scope=READ)
    async def get_partner(partner_id: PartnerId) -> Partner:
        """The partner, its plan and its accounts."""
        return await store().get(partner_id)

    @api.put("/partners/{partner_id}/plan", scope=WRITE, problems=(Conflict,))
    async def set_partner_plan(partner_id: PartnerId, change: PlanChange) -> Partner:
        """Puts the partner on another plan. Tokens issued before are refused within a second."""
        return await store().set_plan(partner_id, change.plan)

    @api.put("/partners/{partner_id}/accounts", scope=WRITE, problems=(Conflict,))
    async def set_partner_accounts(partner_id: PartnerId, change: AccountsChange) -> Partner:
        """Says which accounts the partner sees from now on, all of them. Tokens issued before are refused within a second."""
        return await store().set_accounts(partner_id, change.accounts)

    @api.post("/partners/{partner_id}/clients", scope=WRITE, status=201)
    async def add_partner_client(partner_id: PartnerId, new: NewPartnerClient, idempotency_key: IdempotencyKey) -> ClientSecret:
        """Registers a client with the partner's plan and accounts. Its secret is shown here and never again."""
        made = await store().add_client(partner_id, new.name, new.scopes, new.addresses)
        return ClientSecret(client_id=made.client_id, client_secret=made.secret)

    _declare_states(api, store)


def _declare_states(api: Api, store: Callable[[], PartnerStore]) -> None:
    @api.post("/partners/{partner_id}/suspensions", scope=WRITE)
    async def suspend_partner(partner_id: PartnerId, why: Because, idempotency_key: IdempotencyKey) -> Partner:
        """Closes all its clients: no new tokens, and those there are are dead in every process within a second."""
        return await store().suspend(partner_id, why.reason)

    @api.post("/partners/{partner_id}/resumptions", scope=WRITE)
    async def resume_partner(partner_id: PartnerId, why: Because, idempotency_key: IdempotencyKey) -> Partner:
        """Opens the clients again that were open when the partner was suspended; they need new tokens."""
        return await store().resume(partner_id)

    @api.post("/partners/{partner_id}/closures", scope=WRITE)
    async def close_partner(partner_id: PartnerId, why: Because, idempotency_key: IdempotencyKey) -> Partner:
        """As a suspension, for good."""
        return await store().close(partner_id, why.reason)
