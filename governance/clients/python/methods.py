"""The methods of a client: one for each operation, a second one that goes through all pages where it comes in pages."""

import json
from collections.abc import Iterator
from textwrap import dedent, indent

from governance.clients.endpoints import Endpoint, Parameter, Surface
from governance.clients.names import unique
from governance.clients.python import annotations
from governance.clients.schemas import Schemas, plain

_KNOWN = {
    "Sequence": "from collections.abc import Sequence", "AsyncIterator": "from collections.abc import AsyncIterator",
    "date": "from datetime import date", "datetime": "from datetime import datetime", "Literal": "from typing import Literal",
}  # fmt: skip


def operations(surface: Surface) -> str:
    """The module `operations` of one API."""
    taken = {endpoint.id for endpoint in surface.endpoints}
    constants = "".join(_constant(endpoint) for endpoint in surface.endpoints)
    methods = "".join(_methods(endpoint, surface.schemas, taken) for endpoint in surface.endpoints)
    code = f"""{constants}

class Operations:
    {_docstring(f"{surface.contract.api} {surface.contract.version}: {surface.contract.info.get('title', '')}", 1)}

    def __init__(self, session: Session) -> None:
        self._session = session
{methods}"""
    said = f"The operations of {_quiet(surface.contract.api)}. Generated from the contract; changes here are lost."
    return f'"""{said}"""\n\n{_imports(code)}\n\n{code}'


def _imports(code: str) -> str:
    lines: dict[str, list[str]] = {}
    for name, line in _KNOWN.items():
        if f"{name}[" in code or f": {name}" in code or f"[{name}]" in code:
            module = line.partition(" import ")[0]
            lines.setdefault(module, []).append(name)
    standard = [f"{module} import {', '.join(sorted(names))}" for module, names in lines.items()]
    models = ["from . import models"] if "models." in code else []
    own = ["from ..runtime.session import Endpoint, Given, Session", *models]
    return "\n".join([*standard, *([""] if standard else []), "from pydantic import TypeAdapter", "", *own])


def _constant(endpoint: Endpoint) -> str:
    answer = annotations.result(endpoint)
    more = [f"{name}=True" for name, on in (("keyed", endpoint.keyed), ("raw", answer == "bytes")) if on]
    if endpoint.body is not None and endpoint.body.media != "application/json":
        more.append(f"media={json.dumps(endpoint.body.media)}")
    said = ", ".join(
        [json.dumps(endpoint.operation.method.upper()), json.dumps(endpoint.operation.path), f"TypeAdapter({answer})", *more]
    )
    return f"_{endpoint.id.upper()}: Endpoint[{answer}] = Endpoint({said})\n"


def _methods(endpoint: Endpoint, schemas: Schemas, taken: set[str]) -> str:
    answer, given = annotations.result(endpoint), _given(endpoint)
    head = _head(endpoint.id, endpoint, schemas, answer)
    written = f"{head}        return await self._session.call(_{endpoint.id.upper()}, {given})\n"
    if endpoint.items is None:
        return written
    member, item = endpoint.items
    each = f"models.{schemas.name(item, f'{endpoint.answers[0]}Item')}"
    name = unique(f"each_of_{endpoint.id}", taken)
    taken.add(name)
    return (
        f"{written}{_head(name, endpoint, schemas, f'AsyncIterator[{each}]', pages=True)}"
        f"        async for page in self._session.pages(_{endpoint.id.upper()}, {given}):\n"
        f"            for item in page.{member} or ():\n                yield item\n"
    )


def _head(name: str, endpoint: Endpoint, schemas: Schemas, answer: str, *, pages: bool = False) -> str:
    signature = ",\n        ".join(["self", *_arguments(endpoint, schemas)])
    said = f"All of them, page by page. {endpoint.about}" if pages else endpoint.about
    about = _docstring("\n".join([said, *_explained(endpoint)]), 2)
    return f"\n    async def {name}(\n        {signature},\n    ) -> {answer}:\n        {about}\n"


def _arguments(endpoint: Endpoint, schemas: Schemas) -> Iterator[str]:
    """What the path says by position; everything else by name."""
    yield from (annotations.parameter(said, schemas) for said in endpoint.parameters if said.place == "path")
    body = endpoint.body
    if body is not None:
        kind = f"models.{body.schema}" if body.schema else "bytes"
        yield f"body: {kind}" if body.required else f"body: {kind} | None = None"
    yield "*"
    rest = [said for said in endpoint.parameters if said.place != "path"]
    yield from (annotations.parameter(said, schemas) for said in sorted(rest, key=lambda said: not said.required))
    if endpoint.keyed:
        yield "idempotency_key: str | None = None"
    yield "correlation_id: str | None = None"


def _given(endpoint: Endpoint) -> str:
    parts = [f"{place}={{{said}}}" for place, said in _places(endpoint)]
    parts += ["body=body"] if endpoint.body else []
    parts += ["idempotency_key=idempotency_key"] if endpoint.keyed else []
    return f"Given({', '.join([*parts, 'correlation_id=correlation_id'])})"


def _places(endpoint: Endpoint) -> Iterator[tuple[str, str]]:
    for place, argument in (("path", "path"), ("query", "query"), ("header", "headers")):
        said = [f"{json.dumps(one.name)}: {_value(one)}" for one in endpoint.parameters if one.place == place]
        if said:
            yield argument, ", ".join(said)


def _value(said: Parameter) -> str:
    """A list that goes into one value is joined by the session; a query repeats its parameter for each."""
    joined = said.joined and said.place == "query" and plain(said.schema).get("type") == "array"
    return f'",".join(map(str, {said.argument})) if {said.argument} is not None else None' if joined else said.argument


def _explained(endpoint: Endpoint) -> list[str]:
    known = [f"`{said.argument}`: {said.about}" for said in endpoint.parameters if said.about]
    scopes = sorted(endpoint.operation.scopes)
    needs = [f"Needs the scope {' and '.join(scopes)}."] if scopes else []
    old = ["Deprecated."] if endpoint.operation.node.get("deprecated") is True else []
    return ["", *known, *needs, *old] if known or needs or old else []


def _docstring(text: str, depth: int) -> str:
    lines = dedent(_quiet(text)).strip()
    closing = "\n" + "    " * depth if "\n" in lines else ""
    return f'"""{indent(lines, "    " * depth).strip()}{closing}"""'


def _quiet(text: str) -> str:
    """Nothing in a contract's words ends or escapes a docstring."""
    return text.replace("\\", "\\\\").replace('"', "'").rstrip()
