"""What is stored is JSON; problems come back as themselves; pickle stays out."""

import base64
import json
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernel.durable.serializer import EngineError, JsonSerializer, forbid_pickle
from kernel.problem import PlatformTimeout, Problem, Refused
from tests.kernel.durable.places import Place
from tests.kernel.durable.stories import Vendor, order

plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text().filter(lambda name: not name.startswith("$")), inner),
)


@given(plain)
def test_any_json_value_comes_back_as_it_was(value: object) -> None:
    serializer = JsonSerializer()

    assert serializer.deserialize(serializer.serialize(value)) == value


@given(st.sampled_from(sorted(Problem.known)), st.text(), st.none() | st.text(min_size=1), st.none() | st.integers(0, 3600))
def test_any_problem_comes_back_in_its_class(slug: str, detail: str, system: str | None, after: int | None) -> None:
    problem = Problem.known[slug](detail, system=system, retry_after=after)
    serializer = JsonSerializer()
    restored = serializer.deserialize(serializer.serialize(problem))

    assert type(restored) is type(problem)
    assert (restored.body(), restored.retry_after, restored.retryable) == (problem.body(), after, problem.retryable)


def test_other_exceptions_come_back_as_words() -> None:
    serializer = JsonSerializer()
    restored = serializer.deserialize(serializer.serialize(KeyError("account")))

    assert isinstance(restored, EngineError)
    assert str(restored) == "KeyError: 'account'"


def test_what_is_stored_can_be_read_by_anyone() -> None:
    stored = JsonSerializer().serialize(Refused("no", system="stripe"))

    assert json.loads(stored)["$problem"]["system"] == "stripe"


def test_pickled_rows_are_refused() -> None:
    from dbos._serialization import DBOSDefaultSerializer, deserialize_value

    forbid_pickle()
    harmless = base64.b64encode(pickle.dumps({"a": 1})).decode()

    with pytest.raises(TypeError, match="not loaded"):
        deserialize_value(harmless, DBOSDefaultSerializer.name(), JsonSerializer())


async def test_nothing_in_the_engines_tables_is_pickled(embedded: Place) -> None:
    from sqlalchemy import text

    from tests.kernel.durable.places import asked
    from tests.kernel.durable.stories import Request

    vendor = Vendor(PlatformTimeout("erp: silence"))
    async with embedded.engine(order=order(vendor, "erp.create")) as durable:
        await durable.start("order", "Q-1", Request(), asked())
        await durable.wait("order:Q-1", 10)
        with durable._host.store.engine.connect() as connection:
            steps = connection.execute(text("SELECT DISTINCT serialization FROM operation_outputs")).scalars().all()
            runs = connection.execute(text("SELECT DISTINCT serialization FROM workflow_status")).scalars().all()

    assert (steps, runs) == (["trivium_json"], ["trivium_json"])
