"""What a run of the contract tests leaves for whoever publishes: one file an API, about exactly the promise that was tested."""

import json
import os
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from governance.bundle import bundle
from governance.contract import Contract
from governance.publishing.digest import digest, promised
from tests.contract_tests.contract_files import ROOT, documents
from tests.contract_tests.fuzzing import Findings

FOLDER = "TRIVIUM_EVIDENCE"  # where it is written; nowhere if that is not said, as `make contract-tests` does
MATRICES = {"test_authorization": "authorization", "test_limits": "limits", "test_tenancy": "tenancy"}


class Record:
    """Of one run: cases and faults by place ("process/orders/v1"), and what each matrix asked."""

    def __init__(self) -> None:
        self.cases: Counter[str] = Counter()
        self.failures: Counter[str] = Counter()
        self.matrix: dict[str, Counter[str]] = {name: Counter() for name in MATRICES.values()}

    def tell(self, place: str, found: Findings) -> None:
        """What schemathesis asked of an API, and what was wrong."""
        self.cases[place] += sum(answers.total() for answers in found.answers.values())
        self.failures[place] += len(found.faults)

    def note(self, module: str, case: str, *, passed: bool) -> None:
        """One test, whose name holds the operation (`test_x[process/orders: list_orders-…]`) or the place."""
        about = case.partition("[")[2].removesuffix("]")
        matrix, api = MATRICES.get(module), about.partition(": ")[0]
        if not passed and about in documents():
            self.failures[about] += 1
        for place in documents():
            if matrix and place.rpartition("/")[0] in api.split("-"):
                self.matrix[matrix][place] += 1
                self.failures[place] += not passed

    def write(self, folder: Path) -> list[Path]:
        """A file for each API that cases were made for."""
        folder.mkdir(parents=True, exist_ok=True)
        return [self._write(folder, place) for place in documents() if self.cases[place]]

    def _write(self, folder: Path, place: str) -> Path:
        contract = Contract.load(ROOT / f"{place}.yaml")
        said: Mapping[str, Any] = {
            "api": contract.api, "version": contract.version, "digest": digest(promised(bundle(contract))),
            "cases": self.cases[place], "failures": self.failures[place],
            "matrix": {name: counted[place] for name, counted in self.matrix.items()},
            "at": datetime.now(UTC).isoformat(timespec="seconds"),
        }  # fmt: skip
        file = folder / f"{contract.api.replace('/', '.')}.v{contract.version.partition('.')[0]}.json"
        file.write_text(json.dumps(said, indent=1) + "\n", encoding="utf-8")
        return file


def wanted(arguments: Sequence[str], keyword: str, marks: str) -> Path | None:
    """The folder; None where nobody asked for it, or where only some of the tests were run: that is no evidence."""
    found, some = os.environ.get(FOLDER), bool(keyword or marks) or any("::" in each for each in arguments)
    return Path(found) if found and not some else None
