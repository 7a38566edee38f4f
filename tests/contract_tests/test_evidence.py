"""What the contract tests leave behind is what publishing asks for: about this very promise, and honest about failures."""

import json
from collections import Counter
from pathlib import Path

import pytest

from governance.bundle import bundle
from governance.contract import Contract
from governance.publishing.digest import digest, promised
from tests.contract_tests.contract_files import ROOT
from tests.contract_tests.evidence import FOLDER, Record, wanted
from tests.contract_tests.fuzzing import Findings

PLACE = "process/orders/v1"


def written(record: Record, folder: Path) -> dict[str, object]:
    (file,) = record.write(folder)
    found: dict[str, object] = json.loads(file.read_text(encoding="utf-8"))

    assert file.name == "process.orders.v1.json"
    return found


def test_a_run_is_told_by_the_digest_of_what_was_tested(tmp_path: Path) -> None:
    record = Record()
    record.tell(PLACE, Findings(answers={"GET /orders": Counter({200: 3, 401: 2})}))
    record.note("test_authorization", "test_x[garbage-process/orders: list_orders]", passed=True)
    record.note("test_limits", "test_y[process/orders: list_orders]", passed=True)
    record.note("test_limits", "test_y[process/quotes: validate_quote]", passed=True)
    record.note("test_paths", "test_z[process/orders: list_orders]", passed=False)
    found = written(record, tmp_path)

    contract = Contract.load(ROOT / f"{PLACE}.yaml")
    assert found.pop("at")
    assert found == {
        "api": "process/orders", "version": contract.version, "digest": digest(promised(bundle(contract))), "cases": 5,
        "failures": 0, "matrix": {"authorization": 1, "limits": 1, "tenancy": 0},
    }  # fmt: skip


def test_what_failed_is_counted_wherever_it_failed(tmp_path: Path) -> None:
    record = Record()
    record.tell(PLACE, Findings(["a fault"], {"GET /orders": Counter({500: 1})}))
    record.note("test_tenancy", "test_x[process/orders: list_orders]", passed=False)
    record.note("test_gateway", "test_x[process/orders/v1]", passed=False)

    assert written(record, tmp_path)["failures"] == 3


def test_an_api_nobody_asked_anything_leaves_nothing(tmp_path: Path) -> None:
    record = Record()
    record.note("test_limits", "test_y[process/orders: list_orders]", passed=True)

    assert record.write(tmp_path) == []


def test_some_of_the_tests_are_no_evidence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(FOLDER, "there")

    assert wanted(["tests/contract_tests"], "", "") == Path("there")
    assert wanted(["tests/contract_tests"], "limits", "") is None
    assert wanted(["tests/contract_tests"], "", "not slow") is None
    assert wanted(["tests/contract_tests/test_limits.py::test_x"], "", "") is None
    monkeypatch.delenv(FOLDER)
    assert wanted(["tests/contract_tests"], "", "") is None
