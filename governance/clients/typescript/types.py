"""The types of a TypeScript client, by openapi-typescript: of what callers say themselves, the same for the same contract."""

import json
from copy import deepcopy
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from governance.clients import tool
from governance.clients.endpoints import Surface

HOW = "npm install --save-dev openapi-typescript@7 typescript@5"
BINARIES = Path("node_modules") / ".bin"


def types(one: Surface) -> str:
    """The module of one API's types. Raises NoClient."""
    program = tool.found("openapi-typescript", [Path.cwd() / BINARIES], HOW)
    with TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "contract.json").write_text(json.dumps(_said_by_callers(one)), encoding="utf-8")
        tool.run(program, "contract.json", "--default-non-nullable=false", "-o", "types.ts", folder=folder)
        return (folder / "types.ts").read_text(encoding="utf-8")


def _said_by_callers(one: Surface) -> dict[str, Any]:
    """The document with every operation under the name it has here, and without the headers that the runtime writes."""
    document: dict[str, Any] = deepcopy(one.contract.root.value)
    for endpoint in one.endpoints:
        carried = {(said.place, said.name) for said in endpoint.parameters}
        item = document["paths"][endpoint.operation.path]
        operation = item[endpoint.operation.method]
        operation["operationId"] = endpoint.id
        operation["parameters"] = [
            said.value for said in endpoint.operation.parameters if (said.get("in"), said.get("name")) in carried
        ]
    for item in document["paths"].values():
        item.pop("parameters", None)
    return document
