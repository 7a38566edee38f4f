"""The process and experience layers keep their contracts by themselves, in process, with nobody before them."""

from collections.abc import Iterator

import pytest
from schemathesis.python.asgi import shutdown_lifespans

from tests.contract_tests.contract_files import documents, open_view
from tests.contract_tests.evidence import Record
from tests.contract_tests.fuzzing import contract, run
from tests.contract_tests.layers import KNOWN, Living

pytestmark = [
    pytest.mark.slow,
    # The applications draw random numbers in their thread while a strategy draws in ours.
    pytest.mark.filterwarnings("ignore:Do not use the `random` module inside strategies"),
]
ELSEWHERE = ("system/", "ops/gateway/", "ops/catalog/")  # asked over HTTP by test_gateway.py
# Who may call, which methods there are and the headers of every answer are the door's business.
AT_THE_DOOR = ("ignored_auth", "unsupported_method", "allow_header_conformance", "response_headers_conformance")


@pytest.fixture(scope="module")
def living(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Living]:
    yield Living(tmp_path_factory.mktemp("layers"))
    shutdown_lifespans()


@pytest.mark.parametrize("place", [place for place in documents() if not place.startswith(ELSEWHERE)])
def test_a_layer_keeps_its_contract_without_the_gateway(place: str, living: Living, record: Record) -> None:
    schema = contract(open_view(documents()[place]), KNOWN, without=AT_THE_DOOR)
    schema.app = living

    found = run(schema)
    record.tell(place, found)

    assert found.faults == []
