"""A Bruno collection: a zip of plain text files, one for each operation, the same bytes for the same contract."""

import io
import json
import re
import zipfile

from governance.catalog.reference import parameters, request
from governance.contract import Contract, Operation

_LONG_AGO = (1980, 1, 1, 0, 0, 0)  # the earliest that a zip knows
_STRANGE = re.compile(r"[^A-Za-z0-9_.-]+")


def collection(contract: Contract, base: str) -> bytes:
    name = f"{contract.info.get('title', contract.api)} {contract.version}"
    files = {
        "bruno.json": json.dumps({"version": "1", "name": name, "type": "collection"}, indent=2) + "\n",
        "collection.bru": "auth {\n  mode: bearer\n}\n\nauth:bearer {\n  token: {{token}}\n}\n",
        "environments/gateway.bru": f"vars {{\n  baseUrl: {base}\n}}\nvars:secret [\n  token\n]\n",
    }
    for number, operation in enumerate(contract.operations, 1):
        folder = _STRANGE.sub("-", next(iter(operation.tags), "operations"))
        files[f"{folder}/{_STRANGE.sub('-', operation.id)}.bru"] = _file(operation, number)
    return _zipped(files)


def _file(operation: Operation, number: int) -> str:
    made, said = request(operation), parameters(operation)
    path = re.sub(r"\{([^{}/]+)\}", r":\1", operation.path)
    asked = {one.name: one.example for one in said if one.place == "query" and one.required}
    query = "?" + "&".join(f"{name}={value}" for name, value in asked.items()) if asked else ""
    body = "json" if made.body else "none"
    auth = "inherit" if made.token else "none"
    parts = [
        _block("meta", {"name": operation.id, "type": "http", "seq": str(number)}),
        _block(operation.method, {"url": f"{{{{baseUrl}}}}{path}{query}", "body": body, "auth": auth}),
        _block("params:query", asked),
        _block("params:path", {one.name: one.example for one in said if one.place == "path"}),
        _block("headers", dict(made.headers)),
        _text("body:json", made.body),
        _text("docs", str(operation.node.get("description", ""))),
    ]
    return "\n".join(part for part in parts if part)


def _block(name: str, said: dict[str, str]) -> str:
    lines = "".join(f"  {key}: {value}\n" for key, value in said.items())
    return f"{name} {{\n{lines}}}\n" if said else ""


def _text(name: str, text: str) -> str:
    lines = "".join(f"  {line}\n" for line in text.splitlines())
    return f"{name} {{\n{lines}}}\n" if text else ""


def _zipped(files: dict[str, str]) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(files):
            archive.writestr(zipfile.ZipInfo(name, _LONG_AGO), files[name], zipfile.ZIP_DEFLATED)
    return held.getvalue()
