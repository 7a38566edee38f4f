"""Applications for registration over the gateway's own API: only what a person approves here becomes a client."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Annotated

from fastapi import Path

from contracts.models.registration import Approval, Registration, Registrations, RegistrationState, Rejection
from gateway.house import House
from gateway.oauth import registrations
from gateway.oauth.client_rules import BadClient
from gateway.ops.partners import store_of
from kernel.api import Api, IdempotencyKey
from kernel.context import caller
from kernel.problem import Conflict, Invalid, NotFound

READ, WRITE = "gateway:read", "gateway:write"
RegistrationId = Annotated[str, Path(pattern=r"^tvg_[0-9a-f]{20}$", examples=["tvg_0123456789abcdef0123"])]


def declare_registrations(api: Api, house: House) -> None:
    @api.get("/registrations", scope=READ)
    async def list_registrations(state: RegistrationState | None = None) -> Registrations:
        """Who applied to become a client, the oldest first, at most 200; those in one state if asked."""
        found = await house.oauth.registrations.all(state)
        return Registrations(items=[_shown(each) for each in found])

    @api.get("/registrations/{registration_id}", scope=READ)
    async def get_registration(registration_id: RegistrationId) -> Registration:
        """One application and what became of it."""
        return _shown(await _existing(house, registration_id))

    @api.post("/registrations/{registration_id}/approvals", scope=WRITE, problems=(Conflict,))
    async def approve_registration(
        registration_id: RegistrationId, approval: Approval, idempotency_key: IdempotencyKey
    ) -> Registration:
        """Makes the client; its applicant learns the secret, if it has one, by asking for the state of its application."""
        async with _decision(house, registration_id):
            return _shown(await house.oauth.registrations.approve(registration_id, await approved(house, approval)))

    @api.post("/registrations/{registration_id}/rejections", scope=WRITE, problems=(Conflict,))
    async def reject_registration(
        registration_id: RegistrationId, rejection: Rejection, idempotency_key: IdempotencyKey
    ) -> Registration:
        """Says no; the applicant is told why."""
        async with _decision(house, registration_id):
            by = caller.get().client or "unknown"
            return _shown(await house.oauth.registrations.reject(registration_id, by=by, reason=rejection.reason))


async def approved(house: House, said: Approval, by: str = "") -> registrations.Approval:
    """What is approved, in the words of the partner it is for. Raises NotFound for an unknown partner, and Invalid for accounts
    that are not the partner's.
    """
    by = by or caller.get().client or "unknown"
    if said.partner is None:
        return registrations.Approval(by, said.scopes, said.plan, None, said.accounts)
    partner = await store_of(house).get(said.partner)
    foreign = sorted(set(said.accounts or ()) - set(partner.accounts))
    if foreign:
        raise Invalid(f"{partner.id} has no account {', '.join(foreign)}", field="accounts")
    accounts = partner.accounts if said.accounts is None else said.accounts
    return registrations.Approval(by, said.scopes, partner.plan, partner.id, accounts)


@asynccontextmanager
async def _decision(house: House, registration_id: str) -> AsyncIterator[None]:
    """On an application that exists; what the store refuses is a conflict with what was decided."""
    await _existing(house, registration_id)
    try:
        yield
    except BadClient as error:
        raise Conflict(str(error)) from None


async def _existing(house: House, registration_id: str) -> registrations.Registration:
    found = await house.oauth.registrations.find(registration_id)
    if found is None:
        raise NotFound(f"there is no application {registration_id}")
    return found


def _shown(found: registrations.Registration) -> Registration:
    said = found.application
    return Registration(
        id=found.id, state=RegistrationState(found.state), name=said.client_name, scopes=said.scopes,
        grant_types=said.grant_types, redirect_uris=said.redirect_uris, auth_method=said.token_endpoint_auth_method,
        contacts=said.contacts, keys=len((said.jwks or {}).get("keys", ())), client_id=found.client_id,
        decided_by=found.decided_by, decided_at=None if found.decided_at is None else _moment(found.decided_at),
        reason=found.reason, created_at=_moment(found.created_at),
    )  # fmt: skip


def _moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
