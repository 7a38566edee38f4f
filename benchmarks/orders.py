"""(c) Orders through the durable workflow per second of one core, and steps a second over plain commits of the same database.

An order is counted when its run is final: enriched, in the ERP, in billing, written back, each step on disk. Platforms answer at
once: first in memory, then the bundled imitations over HTTP behind the guard and its journal.
"""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from time import perf_counter, process_time
from uuid import uuid4

import psycopg
from pydantic import BaseModel
from rich.console import Console
from rich.table import Table

from benchmarks.commits import plain_commits
from benchmarks.processes import ROOT, fresh_postgres
from benchmarks.sandboxed import PARTY, QUOTE, sandboxed
from contracts.models.intake import NewOrder, OrderState
from contracts.models.operation import CrmRecord
from contracts.ports.system import Systems
from kernel.clock import Clock, SystemClock
from kernel.db import Database
from kernel.durable.engine import DbosDurable
from kernel.durable.port import Run, RunState, Start
from master_data.book import MasterData
from master_data.mappings import MappingBook
from master_data.ownership import Ownership
from master_data.references import CrossReferenceBook
from master_data.routing import Routing
from master_data.seed import read_mappings, seed_mappings
from process_apis.orders.process import OrderDesk
from process_apis.orders.records import PROCESS, OrderRequest, Placed
from process_apis.orders.steps import OrderSteps
from process_apis.orders.workflow import OrderWorkflow
from process_apis.quotes.process import QuoteDecisions
from tests.process_apis.conftest import ROUTES
from tests.process_apis.platforms.crm import quote_id
from tests.process_apis.platforms.world import World

BATCH, ROUNDS, IN_FLIGHT = 60, 5, 8
STEPS, PATIENCE = 5, 60.0  # steps of a plain run; seconds for one order
Job = Callable[[str], Awaitable[None]]


class Nothing(BaseModel):
    """Asked and answered."""


@dataclass(frozen=True)
class Pace:
    """How fast jobs were done: a second of the wall's time, and a second of one core's."""

    per_second: float
    per_core: float


async def pace(job: Job, batch: int = BATCH, rounds: int = ROUNDS) -> Pace:
    """The median of some rounds, after one that is not counted; a few jobs are always in flight."""
    found = [await _round(job, batch) for _ in range(rounds + 1)][1:]
    return Pace(median(p.per_second for p in found), median(p.per_core for p in found))


async def _round(job: Job, batch: int) -> Pace:
    slots = asyncio.Semaphore(IN_FLIGHT)

    async def one() -> None:
        async with slots:
            await job(uuid4().hex[:12])

    begun, used = perf_counter(), process_time()
    await asyncio.gather(*(one() for _ in range(batch)))
    return Pace(batch / (perf_counter() - begun), batch / (process_time() - used))


@asynccontextmanager
async def plain_story(database: Database, data: Path) -> AsyncIterator[Job]:
    """A run of five steps that do nothing."""

    async def nothing(_: str) -> Nothing:
        return Nothing()

    async def story(run: Run, _: Nothing) -> Nothing:
        for number in range(STEPS):
            await run.step(f"step {number}", nothing, Nothing)
        return Nothing()

    durable = DbosDurable(database, data)
    durable.register("plain", story, Nothing, Nothing)
    await durable.launch()

    async def job(key: str) -> None:
        await durable.start("plain", key, Nothing(), Start("bench", key, "same", "bench"))
        await _final(durable, f"plain:{key}")

    try:
        yield job
    finally:
        await durable.close()


@dataclass(frozen=True)
class Line:
    """Orders two ways: as a caller submits them, checks included, and the workflow by itself."""

    submitted: Job
    workflow: Job


@asynccontextmanager
async def order_line(
    database: Database, data: Path, systems: Systems, book: MasterData, clock: Clock, fresh: Callable[[str], CrmRecord]
) -> AsyncIterator[Line]:
    """`fresh` answers a quote that passes every check, for this key."""
    quotes = QuoteDecisions(systems, book, clock, 10.0)
    durable = DbosDurable(database, data)
    durable.register(PROCESS, OrderWorkflow(OrderSteps(systems, book, quotes, clock)), OrderRequest, Placed)
    await durable.launch()
    desk = OrderDesk(durable, quotes, clock, PATIENCE)
    accepted = await quotes.validate_quote(fresh("first"))

    async def submitted(key: str) -> None:
        order = await desk.submit_order(NewOrder(quote=fresh(key)), key)
        if order.state is not OrderState.COMPLETED:
            raise RuntimeError(f"the order is {order.state}: {order.problem}")

    async def workflow(key: str) -> None:
        wanted = OrderRequest(order=NewOrder(quote=fresh(key)), key=key, validation=accepted)
        await durable.start(PROCESS, key, wanted, Start("bench", key, "same", "bench"))
        await _final(durable, f"{PROCESS}:{key}")

    try:
        yield Line(submitted, workflow)
    finally:
        await durable.close()


async def _final(durable: DbosDurable, run_id: str) -> None:
    record = await durable.wait(run_id, PATIENCE)
    if record.state is not RunState.COMPLETED:
        raise RuntimeError(f"{run_id} is {record.state}: {record.problem}")


async def in_memory(database: Database) -> tuple[World, Callable[[str], CrmRecord]]:
    """The seeded world without latency, its customer known everywhere; each key gets a copy of the quote."""
    clock = SystemClock()
    book = MasterData(
        MappingBook(database, clock), CrossReferenceBook(database, clock), Routing(ROUTES), Ownership(database, clock)
    )
    await seed_mappings(book.mappings, read_mappings(ROOT / "mappings.example.toml"))
    world = World(book)
    await world.onboard(PARTY)
    original = world.crm.quotes[quote_id(QUOTE)]

    def fresh(key: str) -> CrmRecord:
        reference = original.reference.model_copy(update={"id": f"0Q0{key}"})
        world.crm.quotes[reference.id] = original.model_copy(update={"reference": reference})
        return CrmRecord(connection="salesforce", id=reference.id)

    return world, fresh


@dataclass(frozen=True)
class Figures:
    """What was measured on one database."""

    commits: Pace
    runs: Pace
    submitted: Pace
    workflow: Pace
    sandboxed: Pace


async def _in_memory(url: str, data: Path) -> tuple[Pace, Pace, Pace, Pace]:
    """Commits, runs that do nothing, orders submitted, order workflows."""
    commits = Pace(*await asyncio.to_thread(plain_commits, url))
    database = Database(url)
    try:
        async with plain_story(database, data) as job:
            runs = await pace(job)
        world, fresh = await in_memory(database)
        async with order_line(database, data, world.systems, world.book, world.clock, fresh) as line:
            return commits, runs, await pace(line.submitted), await pace(line.workflow)
    finally:
        await database.close()


async def _sandboxed(url: str, data: Path) -> Pace:
    async with (
        sandboxed(url) as there,
        order_line(there.house.database, data, there.systems, there.book, there.house.clock, lambda _: there.quote) as line,
    ):
        return await pace(line.workflow)


@contextmanager
def _place(folder: str, name: str, postgres: bool) -> Iterator[str]:
    """The URL of an empty database that is gone at the end."""
    if postgres:
        with fresh_postgres() as url:
            yield url
    else:
        yield f"sqlite:///{folder}/{name}/trivium.sqlite"


async def measure(out: Console) -> dict[str, Figures]:
    """Prints and answers the figures of both databases; PostgreSQL is left out where no server answers."""
    found = {}
    for name, postgres in {"SQLite": False, "PostgreSQL": True}.items():
        with tempfile.TemporaryDirectory() as folder:
            try:
                with _place(folder, "one", postgres) as url:
                    paces = await _in_memory(url, Path(folder))
                with _place(folder, "two", postgres) as url:
                    found[name] = Figures(*paces, await _sandboxed(url, Path(folder)))
            except psycopg.OperationalError as error:
                out.print(f"{name} is left out: {error}")
    out.print(_orders(found))
    out.print(_steps(found))
    return found


def _orders(found: dict[str, Figures]) -> Table:
    table = Table("orders through the workflow", *[f"{name} / s / core" for name in found], *[f"{name} / s" for name in found])
    table.title = "(c) orders, no vendor latency"
    rows: dict[str, Callable[[Figures], Pace]] = {
        "submitted: checks, workflow, answer (platforms in memory)": lambda figures: figures.submitted,
        "the workflow by itself (platforms in memory)": lambda figures: figures.workflow,
        "the workflow by itself (imitations over HTTP, guarded)": lambda figures: figures.sandboxed,
    }
    for name, of in rows.items():
        paces = [of(figures) for figures in found.values()]
        table.add_row(name, *[f"{each.per_core:.0f}" for each in paces], *[f"{each.per_second:.0f}" for each in paces])
    return table


def _steps(found: dict[str, Figures]) -> Table:
    heads = ("database", "commits / s", "steps / s", "steps / commits", "CPU of a commit, µs", "CPU of a step, µs")
    table = Table(*heads, title=f"(c) steps of a run of {STEPS} against plain commits")
    for name, figures in found.items():
        steps, commits = Pace(STEPS * figures.runs.per_second, STEPS * figures.runs.per_core), figures.commits
        speeds = [f"{commits.per_second:.0f}", f"{steps.per_second:.0f}", f"{steps.per_second / commits.per_second:.2f}"]
        table.add_row(name, *speeds, f"{1e6 / commits.per_core:.0f}", f"{1e6 / steps.per_core:.0f}")
    return table
