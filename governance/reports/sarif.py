"""SARIF 2.1.0, for code scanning: OASIS, Static Analysis Results Interchange Format."""

import json
from collections.abc import Sequence
from typing import Any

from governance.reports.entry import Entry

_LEVELS = {"error": "error", "warning": "warning", "info": "note"}


def sarif(entries: Sequence[Entry]) -> str:
    rules = sorted({entry.id for entry in entries})
    driver = {
        "name": "trivium contracts",
        "informationUri": "https://www.openapis.org",
        "rules": [{"id": rule} for rule in rules],
    }
    run = {"tool": {"driver": driver}, "results": [_result(entry, rules.index(entry.id)) for entry in entries]}
    schema = "https://json.schemastore.org/sarif-2.1.0.json"
    return json.dumps({"$schema": schema, "version": "2.1.0", "runs": [run]}, indent=2, ensure_ascii=False) + "\n"


def _result(entry: Entry, index: int) -> dict[str, Any]:
    said = " ".join(
        part for part in (entry.operation and f"{entry.operation}:", entry.message, entry.fix and f"({entry.fix})") if part
    )
    place = {"artifactLocation": {"uri": entry.file}, "region": {"startLine": entry.line}}
    logical = [{"fullyQualifiedName": entry.pointer or "/"}]
    return {
        "ruleId": entry.id, "ruleIndex": index, "level": _LEVELS[entry.level], "message": {"text": said},
        "locations": [{"physicalLocation": place, "logicalLocations": logical}],
    }  # fmt: skip
