"""The models of a client, by datamodel-code-generator: pydantic classes, one a schema, the same for the same contract."""

import ast
import json
from collections.abc import Collection
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from governance.clients import tool
from governance.clients.failure import NoClient

HOW = "pip install datamodel-code-generator"
_HEADER = '"""What is sent and answered. Generated from the contract; changes here are lost."""'
_OPTIONS = (
    "--input-file-type", "openapi", "--openapi-scopes", "schemas", "--output-model-type", "pydantic_v2.BaseModel",
    "--target-python-version", "3.11", "--formatters", "builtin", "--disable-timestamp", "--field-constraints",
    "--use-annotated", "--use-standard-collections", "--use-union-operator", "--use-specialized-enum",
    "--use-schema-description", "--use-double-quotes", "--allow-population-by-field-name",
    "--custom-file-header", _HEADER, "--encoding", "utf-8",
)  # fmt: skip


def models(document: dict[str, Any], wanted: Collection[str]) -> str:
    """The module for a document of schemas. Raises NoClient, also where a class of the `wanted` did not come about."""
    program = tool.found("datamodel-codegen", (), HOW)
    with TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "schemas.json").write_text(json.dumps(document), encoding="utf-8")
        tool.run(program, "--input", "schemas.json", "--output", "models.py", *_OPTIONS, folder=folder)
        text = (folder / "models.py").read_text(encoding="utf-8")
    missing = set(wanted) - {said for node in ast.parse(text).body for said in _named(node)}
    if missing:
        raise NoClient(f"datamodel-codegen made no class of {', '.join(sorted(missing))}")
    return text


def _named(node: ast.stmt) -> list[str]:
    match node:
        case ast.ClassDef(name=name):
            return [name]
        case ast.Assign(targets=[ast.Name(id=name)]):
            return [name]
        case _:
            return []
