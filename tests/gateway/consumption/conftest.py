"""A fresh table of actual use, on SQLite and PostgreSQL alike."""

import pytest

from gateway.consumption.book import FieldUseBook
from gateway.consumption.tables import field_use
from kernel.db import Database
from tests.gateway.oauth.conftest import clock, database, postgres_url

__all__ = ["clock", "database", "postgres_url"]


@pytest.fixture
async def book(database: Database) -> FieldUseBook:
    async with database.transaction() as connection:
        await connection.execute(field_use.delete())
    return FieldUseBook(database)
