"""The durable engine itself, on the test's own SQLite file, impatient enough for tests."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from kernel.clock import Clock
from kernel.db import Database
from kernel.durable.engine import DbosDurable
from kernel.durable.patience import Patience
from kernel.durable.port import Workflow

IMPATIENT = Patience(budget=0.3, first_pause=0.01, longest_pause=0.02, tend_every=0.1, poll_every=0.02, closing=0.2)
Story = tuple[Workflow[Any], type[BaseModel], type[BaseModel]]


@asynccontextmanager
async def running(database: Database, data: Path, clock: Clock, stories: dict[str, Story]) -> AsyncIterator[DbosDurable]:
    """The engine with these stories: process → workflow, request, result."""
    durable = DbosDurable(database, data, patience=IMPATIENT, clock=clock)
    for process, (workflow, request, result) in stories.items():
        durable.register(process, workflow, request, result)
    try:
        await durable.launch()
        yield durable
    finally:
        await durable.close()
