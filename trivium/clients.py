"""Clients of the gateway, kept in its database; reached here directly, by whoever may read the data directory."""

import getpass
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager
from typing import Any

from pydantic import ValidationError

from contracts.models.registration import Approval
from gateway.house import House
from gateway.oauth.clients import PLAIN, BadClient, Client, Details, NewClient
from gateway.oauth.registrations import Registration
from gateway.opening import open_house
from gateway.ops.registrations import approved
from kernel.problem import Problem
from kernel.settings import Settings


async def add(
    settings: Settings,
    name: str,
    scopes: Collection[str],
    plan: str = "default",
    *,
    accounts: Collection[str] | None = None,
    details: Details = PLAIN,
) -> NewClient:
    """Registers a client; a partner's has the partner's plan. Raises BadClient for a scope that no contract names."""
    async with _house(settings) as house:
        check_scopes(house, scopes)
        said = approval(plan=plan, partner=details.partner, accounts=None if accounts is None else sorted(accounts))
        meant = await approved(house, said, by=getpass.getuser())
        return await house.oauth.clients.add(name, scopes, plan=meant.plan, accounts=meant.accounts, details=details)


async def all_of(settings: Settings) -> Sequence[Client]:
    async with _house(settings) as house:
        return await house.oauth.clients.all()


async def rotate_secret(settings: Settings, client_id: str) -> str:
    """A second secret beside the first. Raises BadClient."""
    async with _house(settings) as house:
        return await house.oauth.clients.add_secret(client_id)


async def withdraw_secrets(settings: Settings, client_id: str, keep: str) -> int:
    """Every secret but one is forgotten. Raises BadClient."""
    async with _house(settings) as house:
        return await house.oauth.clients.withdraw_secrets(client_id, keep=keep)


async def close(settings: Settings, client_id: str) -> None:
    """Raises BadClient."""
    async with _house(settings) as house:
        await house.oauth.clients.deactivate(client_id)


async def bind(settings: Settings, client_id: str, networks: Collection[str] | None) -> None:
    """Raises BadClient."""
    async with _house(settings) as house:
        await house.oauth.clients.bind(client_id, networks)


async def registrations(settings: Settings, state: str | None) -> Sequence[Registration]:
    async with _house(settings) as house:
        return await house.oauth.registrations.all(state)


async def approve(settings: Settings, registration_id: str, said: Approval) -> Registration:
    """Raises BadClient."""
    async with _house(settings) as house:
        if said.scopes is not None:
            check_scopes(house, said.scopes)
        return await house.oauth.registrations.approve(registration_id, await approved(house, said, by=getpass.getuser()))


async def reject(settings: Settings, registration_id: str, reason: str) -> Registration:
    """Raises BadClient."""
    async with _house(settings) as house:
        return await house.oauth.registrations.reject(registration_id, by=getpass.getuser(), reason=reason)


def approval(**said: Any) -> Approval:
    """Raises BadClient, naming what is not in its form."""
    try:
        return Approval(**said)
    except ValidationError as error:
        told = "; ".join(f"{'.'.join(str(part) for part in each['loc'])}: {each['msg']}" for each in error.errors())
        raise BadClient(told) from None


def check_scopes(house: House, scopes: Collection[str]) -> None:
    """Raises BadClient for a scope that nothing asks for."""
    known = house.grantable
    unknown = sorted(set(scopes) - known)
    if unknown:
        raise BadClient(f"nothing asks for {', '.join(unknown)}; there are {', '.join(sorted(known))}")


@asynccontextmanager
async def _house(settings: Settings) -> AsyncIterator[House]:
    async with open_house(settings, "trivium-clients") as house:
        try:
            yield house
        except Problem as problem:
            raise BadClient(problem.detail) from None
