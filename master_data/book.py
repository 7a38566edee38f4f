"""Everything master data offers, in one object for whoever needs all of it."""

from dataclasses import dataclass

from kernel.clock import Clock, SystemClock
from kernel.db import Database
from kernel.settings import Settings
from master_data.mappings import MappingBook
from master_data.ownership import Ownership
from master_data.references import CrossReferenceBook
from master_data.routing import Routing


@dataclass(frozen=True)
class MasterData:
    """Mappings, cross-references, routing and ownership over one database."""

    mappings: MappingBook
    references: CrossReferenceBook
    routing: Routing
    ownership: Ownership


def master_data(settings: Settings, database: Database, clock: Clock | None = None) -> MasterData:
    clock = clock or SystemClock()
    return MasterData(
        MappingBook(database, clock), CrossReferenceBook(database, clock), Routing(settings.routes), Ownership(database, clock)
    )
