"""Partners on a fresh database, SQLite and PostgreSQL alike, with as many processes of the deployment as a test opens."""

from collections.abc import Awaitable, Callable

import pytest

from contracts.models.partner import NewPartner
from gateway.oauth.server import AuthorizationServer
from gateway.partners.store import PartnerStore
from gateway.partners.tables import partners, usage
from kernel.db import Database
from tests.gateway.oauth.conftest import FakeClock, clock, database, open_process, postgres_url

__all__ = ["clock", "database", "open_process", "postgres_url"]
SCOPES = frozenset({"orders:read", "orders:write", "gateway:read"})
MINE, MORE = "salesforce/001A", "salesforce/001B"


@pytest.fixture
async def here(database: Database, open_process: Callable[[], Awaitable[AuthorizationServer]]) -> AuthorizationServer:
    async with database.transaction() as connection:
        for table in (partners, usage):
            await connection.execute(table.delete())
    return await open_process()


@pytest.fixture
async def there(here: AuthorizationServer, open_process: Callable[[], Awaitable[AuthorizationServer]]) -> AuthorizationServer:
    return await open_process()


@pytest.fixture
def store(here: AuthorizationServer, database: Database, clock: FakeClock) -> PartnerStore:
    return PartnerStore(database, here.clients, clock, SCOPES)


@pytest.fixture
def new() -> Callable[..., NewPartner]:
    def make(id: str = "acme", **said: object) -> NewPartner:
        usual: dict[str, object] = {"name": "Acme Ltd", "contact": "ops@acme.example", "accounts": [MINE]}
        return NewPartner.model_validate({"id": id, **usual, **said})

    return make
