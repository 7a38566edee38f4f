"""A contract is what it says it is: it fits the OpenAPI Initiative's own schema of its version."""

import json
from collections.abc import Iterator
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import jsonschema_rs

from governance.contract import OPENAPI, Contract
from governance.lint.rule import Violation, rule
from governance.node import Node

MOST = 20  # faults told of one document
_PACKAGE = "openapi_spec_validator"  # read from and not imported: that takes seconds


@rule("valid-document", 1, see="spec.openapis.org; Spectral oas3-schema", fix="write it as the specification has it")
def valid_document(contract: Contract) -> Iterator[Violation]:
    if contract.kind != OPENAPI:
        return
    for told, error in enumerate(_validator(contract.dialect[:3]).iter_errors(contract.root.value)):
        if told >= MOST:
            return
        yield Violation(_at(contract.root, error.instance_path), _short(error.message))


@cache
def _validator(dialect: str) -> Any:
    spec = find_spec(_PACKAGE)
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(_PACKAGE)
    file = Path(spec.origin).parent / "resources" / "schemas" / f"v{dialect}" / "schema.json"
    return jsonschema_rs.validator_for(json.loads(file.read_text(encoding="utf-8")))


def _at(root: Node, path: list[str | int]) -> Node:
    node = root
    for name in path:
        node = node.raw(name)
    return node


def _short(message: str) -> str:
    return message if len(message) <= 200 else f"{message[:120]} … {message[-70:]}"
