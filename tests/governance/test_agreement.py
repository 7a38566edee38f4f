"""Code and promise agree, and a difference anywhere is named by its place."""

import copy

import pytest

from gateway.compose import declared
from governance.agreement import CONTRACTS, disagreements, place, read, write
from kernel.api_document import document
from kernel.remote import NotInContract, remote

APIS = declared()


@pytest.mark.parametrize("api", APIS, ids=lambda api: api.id)
def test_what_the_code_declares_is_what_the_contract_promises(api):
    assert list(disagreements(read(place(api.id, api.major)), document(api))) == []


def test_every_contract_is_kept_by_code():
    assert set(CONTRACTS.rglob("*.yaml")) == {place(api.id, api.major) for api in APIS}


def test_a_difference_is_named_by_its_pointer():
    promised = document(APIS[0])
    declared_ = copy.deepcopy(promised)
    path = next(iter(declared_["paths"]))
    operation = next(iter(declared_["paths"][path].values()))
    operation["x-trivium-timeout"] = 99.0
    operation["new"] = True

    found = list(disagreements(promised, declared_))

    assert len(found) == 2
    assert all(line.startswith(f"/paths/{path.replace('/', '~1')}") for line in found)


def test_order_is_no_disagreement():
    assert list(disagreements({"a": [1, {"b": 2}]}, {"a": [{"b": 2}, 1]})) == []


def test_a_draft_is_written_once(tmp_path):
    file = place("process/x", 1, tmp_path)

    assert write({"openapi": "3.1.0", "text": "one\ntwo"}, file)
    assert not write({"openapi": "3.1.0", "text": "one\ntwo"}, file)
    assert read(file) == {"openapi": "3.1.0", "text": "one\ntwo"}


def test_a_port_that_the_contract_does_not_promise_cannot_be_called_remotely():
    class Wider:
        async def not_promised(self) -> None: ...

    with pytest.raises(NotInContract, match="not_promised"):
        remote(Wider, document(APIS[0]), None, None, system="x", fixed={})
