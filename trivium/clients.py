"""Clients of the gateway, kept in its database; reached here directly, by whoever may read the data directory."""

from collections.abc import Collection, Sequence

from gateway.house import open_house
from gateway.oauth.clients import BadClient, Client, NewClient
from kernel.settings import Settings


async def add(settings: Settings, name: str, scopes: Collection[str], plan: str = "default") -> NewClient:
    """Registers a client. Raises BadClient for a scope that no contract names."""
    async with open_house(settings, "trivium-clients") as house:
        known = {scope for operation in house.promised for scope in operation.scopes}
        unknown = sorted(set(scopes) - known)
        if unknown:
            raise BadClient(f"no contract asks for {', '.join(unknown)}; there are {', '.join(sorted(known))}")
        return await house.oauth.clients.add(name, scopes, plan=plan)


async def all_of(settings: Settings) -> Sequence[Client]:
    async with open_house(settings, "trivium-clients") as house:
        return await house.oauth.clients.all()
