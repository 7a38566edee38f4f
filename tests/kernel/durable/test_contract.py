"""The private parts of DBOS that we stand on: a new version that moves one of them fails here, by name, before it fails a run."""

import importlib.metadata
import inspect
from collections.abc import Callable
from typing import Any

import pytest
from dbos import DBOS, _dbos
from dbos._core import ActiveWorkflowById
from dbos._queue import Queue
from dbos._serialization import DBOSDefaultSerializer, DefaultSerializer
from dbos._sys_db import StepInfo, SystemDatabase
from dbos._utils import INTERNAL_QUEUE_NAME

from tests.kernel.durable.places import Place, asked
from tests.kernel.durable.stories import Request, Vendor, order


def test_the_version_is_the_one_that_was_read() -> None:
    assert importlib.metadata.version("dbos") == "3.4.0"


@pytest.mark.parametrize(
    ("call", "parameters"),
    [
        (DBOS._recover_pending_workflows, ["executor_ids"]),
        (SystemDatabase.reenqueue_for_recovery, ["self", "workflow_id", "executor_ids", "recovery_queue_name"]),
        (SystemDatabase.get_pending_workflows, ["self", "executor_id", "app_version"]),
        (SystemDatabase.get_workflow_statuses, ["self", "workflow_ids"]),
        (SystemDatabase.list_workflow_steps, ["self", "workflow_id", "load_output", "limit", "offset"]),
        (ActiveWorkflowById.activeList, ["self"]),
        (DefaultSerializer.deserialize, None),
    ],
)
def test_a_call_is_there_with_its_parameters(call: Callable[..., Any], parameters: list[str] | None) -> None:
    assert callable(call)
    assert parameters is None or list(inspect.signature(call).parameters) == parameters


def test_the_singleton_and_the_formats_are_where_they_were() -> None:
    assert _dbos._dbos_global_instance is None
    assert isinstance(DBOSDefaultSerializer, DefaultSerializer)
    assert INTERNAL_QUEUE_NAME == "_dbos_internal_queue"
    assert {"output", "function_name", "started_at_epoch_ms", "completed_at_epoch_ms"} <= set(StepInfo.__annotations__)


async def test_a_launched_engine_has_the_parts_we_touch(place: Place) -> None:
    async with place.engine(order=order(Vendor(), "erp.create")) as durable:
        await durable.start("order", "Q-1", Request(), asked())
        await durable.wait("order:Q-1", 10)
        dbos, store = durable._host._dbos, durable._host.store
        queue = dbos._registry.get_internal_queue()  # type: ignore[union-attr]
        columns = set(store.tables.workflow_status.c.keys())

        assert isinstance(queue, Queue)
        assert queue._polling_interval_sec == 0.05
        assert {"executor_id", "status", "application_version"} <= columns
        assert isinstance(dbos._workflow_tasks, set)  # type: ignore[union-attr]
        assert store.notifications_map.get("order:Q-1::none") is None
        assert store._waiter("order:Q-1", "topic")[0] == "order:Q-1::topic"
        assert store.reenqueue_for_recovery("order:none", [durable._host.executor], INTERNAL_QUEUE_NAME) is False
    assert _dbos._dbos_global_instance is None
