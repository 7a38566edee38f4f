"""What contracts say they call is what the code calls: the map of dependencies does not lie."""

import ast
from pathlib import Path

import pytest

from contracts.ports.process import CustomerProcess, OnboardingProcess, OrderProcess, QuoteProcess
from contracts.ports.system import Billing, Crm, Erp
from governance.agreement import CONTRACTS
from governance.collection import collect

ROOT = Path(__file__).parent.parent.parent
SYSTEM, PROCESS = (Crm, Billing, Erp), (CustomerProcess, OnboardingProcess, OrderProcess, QuoteProcess)
# The folders an API's endpoints reach, and the ports of the layer below it. An order validates its quote, in its own layer.
PLACES = {
    "process/quotes": (["process_apis/quotes"], SYSTEM),
    "process/orders": (["process_apis/orders", "process_apis/quotes"], SYSTEM),
    "process/onboarding": (["process_apis/onboarding"], SYSTEM),
    "process/customers": (["process_apis/customers"], SYSTEM),
    "experience/sales_desk": (["experience_apis/sales_desk"], PROCESS),
}
ESTATE = collect(str(CONTRACTS))


def declared(api):
    (contract,) = (one for one in ESTATE.values() if one.api == api)
    return {call for operation in contract.operations for call in operation.node.get("x-trivium-calls") or ()}


def called(folders, ports):
    known = {name for port in ports for name in vars(port) if not name.startswith("_")}
    trees = [
        ast.parse(file.read_text())
        for folder in folders
        for file in (ROOT / folder).glob("*.py")
        if file.name != "v1.py" or ports is PROCESS
    ]
    calls = [node.func for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Call)]
    return {call.attr for call in calls if isinstance(call, ast.Attribute) and call.attr in known}


@pytest.mark.parametrize("api", PLACES)
def test_what_is_declared_is_what_the_code_calls(api):
    names = {call.partition("#")[2] for call in declared(api)}

    assert names == called(*PLACES[api])


@pytest.mark.parametrize("api", PLACES)
def test_every_call_leads_to_an_operation_that_is_promised(api):
    promised = {f"{one.api}/v{one.version[0]}#{operation.id}" for one in ESTATE.values() for operation in one.operations}

    assert declared(api) <= promised
