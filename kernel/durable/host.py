"""DBOS in this process: opened once, spoken to from outside its own contexts, closed without a trace.

DBOS is a singleton of the process with a console logger of its own; everything of that is dealt with here and nowhere else.
"""

import asyncio
import contextvars
import logging
import sqlite3
import sys
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final, TypeVar

from dbos import DBOS, DBOSConfig, SetWorkflowID, _dbos
from dbos._sys_db import StepInfo, SystemDatabase
from dbos._utils import INTERNAL_QUEUE_NAME
from sqlalchemy import func, select
from sqlalchemy.engine import make_url

from kernel.db import Database
from kernel.durable.index import Opening
from kernel.durable.locks import EngineRefused
from kernel.durable.serializer import JsonSerializer, forbid_pickle

T = TypeVar("T")
Story = Callable[[dict[str, Any]], Awaitable[None]]
VERSION: Final = "trivium"  # constant: DBOS's own hash of the code would strand runs in flight at every change


class Host:
    """The DBOS of this process. Its private parts that are used are guarded by tests/kernel/durable/test_contract.py."""

    def __init__(self, database: Database, data: Path, executor: str, look_every: float) -> None:
        self._database, self._data, self.executor, self._look_every = database, data, executor, look_every
        self._stories: dict[str, Callable[[dict[str, Any]], Coroutine[Any, Any, None]]] = {}
        self._tasks: set[asyncio.Task[Any]] = set()
        self._dbos: DBOS | None = None

    def open(self, stories: dict[str, Story]) -> None:
        """Launches DBOS on the running loop; blocks it while tables are made, which happens once."""
        if _dbos._dbos_global_instance is not None:
            raise EngineRefused("this process runs a durable engine already; close that one first")
        self._check_sqlite()
        _route_logging()
        forbid_pickle()
        self._dbos = DBOS(config=self._config())
        self._dbos._registry.get_internal_queue()._polling_interval_sec = self._look_every
        for process, story in stories.items():
            # Attempts are counted by ourselves: a run parked over five deployments is no run that kills its process.
            self._stories[process] = DBOS.workflow(name=process, max_recovery_attempts=None)(_entry(story))
        try:
            DBOS.launch()
        except BaseException:
            DBOS.destroy(destroy_registry=True)
            self._dbos = None
            raise

    def _check_sqlite(self) -> None:
        if self._database.embedded and sys.version_info >= (3, 12) and sqlite3.sqlite_version_info < (3, 42):
            raise EngineRefused(
                f"SQLite {sqlite3.sqlite_version} is too old for Python {sys.version_info.major}.{sys.version_info.minor}; "
                "use SQLite 3.42 or newer, Python 3.11, or PostgreSQL"
            )

    def _config(self) -> DBOSConfig:
        config: DBOSConfig = {
            "name": "trivium",
            "application_version": VERSION,
            "executor_id": self.executor,
            "serializer": JsonSerializer(),
            "log_level": "WARNING",
            "enable_otlp": False,  # our own spans are leaner and carry our names
            "max_executor_threads": 32,
            "notification_listener_polling_interval_sec": 0.2,
            # Features of DBOS that are not used here need not poll: streams, events, schedules.
            "notification_coalesce_sec": 0.1,
            "scheduler_polling_interval_sec": 3600.0,
        }
        if self._database.embedded:
            path = self._data.absolute() / "durable.sqlite"
            _in_wal_mode(path)
            return {**config, "system_database_url": f"sqlite:///{path}", "sys_db_pool_size": 4}
        url = make_url(self._database.url).set(drivername="postgresql").render_as_string(hide_password=False)
        # A stale pooled connection costs one retry of DBOS's own; a ping at every check-out costs a round trip each.
        return {**config, "system_database_url": url, "db_engine_kwargs": {"pool_pre_ping": False}}

    @property
    def store(self) -> SystemDatabase:
        if self._dbos is None:
            raise EngineRefused("the durable engine is not launched")
        return self._dbos._sys_db

    def active(self) -> frozenset[str]:
        """Runs that this process is executing, parked ones included."""
        return frozenset(self._dbos._active_workflows_set.activeList()) if self._dbos else frozenset()

    async def start(self, opening: Opening) -> None:
        """Starts the workflow; one that is there already is left alone."""

        async def begin() -> None:
            with SetWorkflowID(opening.id):
                await DBOS.start_workflow_async(self._stories[opening.process], {**vars(opening)})

        await self.outside(begin())

    async def send(self, run_id: str, topic: str, body: Any, once: str) -> None:
        """Puts a message before the run, once, and wakes it if it waits in this process."""
        await self.outside(DBOS.send_async(run_id, body, topic, idempotency_key=once))
        waiter = self.store.notifications_map.get(f"{run_id}::{topic}")
        if waiter is not None:
            waiter.set()

    async def outside(self, work: Coroutine[Any, Any, T]) -> T:
        """Does the work in an empty context: DBOS must not take a caller's step for the parent of what is started."""
        task = asyncio.create_task(work, context=contextvars.Context())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return await asyncio.shield(task)

    async def steps(self, run_id: str, outputs: bool = True) -> Sequence[StepInfo]:
        return await asyncio.to_thread(self.store.list_workflow_steps, run_id, load_output=outputs)

    async def statuses(self, run_ids: Sequence[str]) -> dict[str, str]:
        """The state of each workflow in DBOS's words; unknown ones are absent."""
        found = await asyncio.to_thread(self.store.get_workflow_statuses, list(run_ids))
        return {status["workflow_uuid"]: status["status"] for status in found}

    async def pending(self) -> dict[str, int]:
        """Executor ids that own unfinished workflows, with how many."""
        table = self.store.tables.workflow_status
        owned = (table.c.status == "PENDING", table.c.application_version == VERSION)
        query = select(table.c.executor_id, func.count()).where(*owned)

        def read() -> dict[str, int]:
            with self.store.engine.begin() as connection:
                return {row[0]: row[1] for row in connection.execute(query.group_by(table.c.executor_id))}

        return await asyncio.to_thread(read)

    async def pending_here(self) -> frozenset[str]:
        rows = await asyncio.to_thread(self.store.get_pending_workflows, self.executor, VERSION)
        return frozenset(row.workflow_id for row in rows)

    async def reclaim(self, run_id: str) -> bool:
        """Puts an unfinished workflow of this executor back to the queue, from which one process takes it."""
        return await asyncio.to_thread(self.store.reenqueue_for_recovery, run_id, [self.executor], INTERNAL_QUEUE_NAME)

    async def take_over(self, executor: str) -> None:
        """Puts all unfinished workflows of a dead executor back to the queue."""
        await asyncio.to_thread(DBOS._recover_pending_workflows, [executor])

    async def close(self) -> None:
        """Stops executions where they are (the next launch resumes them), then DBOS, and gives the loop its threads back."""
        if self._dbos is None:
            return
        logging.getLogger("dbos").setLevel(logging.ERROR)  # it would warn of every execution that is stopped here
        await self._stop_executions(self._dbos)
        loop = asyncio.get_running_loop()
        loop.set_default_executor(ThreadPoolExecutor(thread_name_prefix="asyncio"))
        await asyncio.to_thread(DBOS.destroy, destroy_registry=True)
        await self._stop_executions(self._dbos)  # what its queue took up in the last moment
        self._dbos = None

    async def _stop_executions(self, dbos: DBOS) -> None:
        running = [*dbos._workflow_tasks, *self._tasks]
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)


def _entry(story: Story) -> Callable[[dict[str, Any]], Coroutine[Any, Any, None]]:
    async def entry(opening: dict[str, Any]) -> None:
        await story(opening)

    return entry


def _in_wal_mode(path: Path) -> None:
    """The journal mode is a property of the file: set once, every connection of DBOS's finds it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    connection = sqlite3.connect(path)
    try:
        connection.execute("PRAGMA journal_mode=WAL")
    finally:
        connection.close()


def _route_logging() -> None:
    """DBOS adds a console handler and stops propagation when its logger has no handler; with this one it does neither."""
    logger = logging.getLogger("dbos")
    if not logger.handlers:
        logger.addHandler(logging.NullHandler())
