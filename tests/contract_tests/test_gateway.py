"""Whatever a caller sends to the gateway, the answer is one that the contract promises."""

import pytest

from tests.contract_tests.contract_files import Promise, bearer_view, documents, promises
from tests.contract_tests.evidence import Record
from tests.contract_tests.fuzzing import contract, run
from tests.contract_tests.travels import Travels

pytestmark = pytest.mark.slow
CONNECTIONS = {"system/erp/v1": "netsuite", "system/billing/v1": "stripe"}


@pytest.mark.parametrize("place", documents())
def test_every_answer_keeps_the_contract(place: str, travels: Travels, record: Record) -> None:
    known = {**travels.known, "connection": [CONNECTIONS.get(place, "salesforce")]}
    if place == "system/erp/v1":
        known["order_id"] = known["sales_order_id"]  # the ERP's own, where everywhere else it is ours
    schema = contract(bearer_view(documents()[place]), known)
    schema.config.update(base_url=travels.url, headers={"Authorization": f"Bearer {travels.token}"})

    without_input = {f"{promise.method} {promise.path}" for promise in promises() if not _asks(promise)}

    found = run(schema, travels.client, travels.known["client_id"])
    record.tell(place, found)

    assert found.faults == []
    assert found.answers.keys() == {operation.ok().label for operation in schema.get_all_operations()}
    for operation, answers in found.answers.items():
        assert answers[401], f"{operation} was not tried without a token"
        wrong = answers[400] + answers[422]
        assert wrong or operation in without_input, f"{operation} was not tried with data that breaks the contract"


def _asks(promise: Promise) -> bool:
    """Whether there is anything in a request that could be wrong."""
    return promise.takes_body or any(promise.parameters(where) for where in ("path", "query", "header"))
