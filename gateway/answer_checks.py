"""An answer is held against its contract: status, media type, headers and body; what is wrong is named in its words.

A finding points into the contract's schema and never into the answer: it can be logged, counted and told.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import jsonschema_rs

from gateway import bodies, parameters
from gateway.inputs import is_json
from gateway.pipeline import Operation
from gateway.responses import Response, Responses
from gateway.schemas import Document, Unresolvable
from gateway.violations import Unusable, compiled
from kernel.problem import BadRequest

MOST = 10  # findings in one answer
# What policies around the check put on every answer, later than it looks.
OF_THE_DOOR = frozenset(
    {
        "x-correlation-id", "x-request-id", "ratelimit", "ratelimit-policy", "etag", "age", "cache-control", "cache-status",
        "deprecation", "sunset", "vary", "content-type", "idempotency-replayed",
    }
)  # fmt: skip
Headers = Sequence[tuple[bytes, bytes]]


class AnswerCheck:
    """The check of one operation; each of its schemas is compiled when it is first needed."""

    def __init__(self, operation: Operation) -> None:
        """Raises Unresolvable."""
        self._document = operation.document or Document({})
        self._promised = Responses.of(operation)
        self._compiled: dict[int, tuple[jsonschema_rs.Validator, frozenset[str]]] = {}  # by the schema's identity

    def status(self, status: int) -> list[str]:
        """What is wrong with a refusal of which no more is known than its status. What broke is always answered."""
        promised = status >= 500 or self._promised.get(status) is not None
        return [] if promised else [f"the status {status} is not promised"]

    def answer(self, status: int, headers: Headers, body: bytes | None, *, headless: bool = False) -> list[str]:
        """`body`: None where it is too large to be looked at. `headless`: the call was HEAD."""
        promised = self._promised.get(status)
        if promised is None:
            return [] if status == 304 else self.status(status)
        named = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in headers}
        found = self._headers(promised, named)
        if body and named.get("content-encoding", "identity") == "identity":
            found += self._body(promised, named.get("content-type", ""), body)
        elif body == b"" and promised.content and not headless:
            found.append("a body is promised")
        return found[:MOST]

    def _headers(self, promised: Response, named: Mapping[str, str]) -> list[str]:
        found = []
        for name, said in promised.headers.items():
            if name in OF_THE_DOOR:
                continue
            if name not in named:
                found += [f"the header {name} is required"] if said.get("required") else []
            elif "schema" in said:
                found += self._judged(said["schema"], named[name], f"header {name}", text=True)
        return found

    def _body(self, promised: Response, media: str, body: bytes) -> list[str]:
        try:
            schema = promised.schema(media)
        except KeyError:
            return ["a body is not promised" if not promised.content else "the media type is not promised"]
        if schema is None or not is_json(media.lower()):
            return []
        try:
            return self._judged(schema, bodies.parsed(body), "body")
        except BadRequest as refusal:
            return [f"body: {refusal.detail}"]

    def _judged(self, schema: Any, value: Any, where: str, *, text: bool = False) -> list[str]:
        """`text`: the value is a text that may stand for a number or a boolean."""
        try:
            validator, types = self._validator(schema)
            value = parameters.value(value, types) if text else value
            if validator.is_valid(value):
                return []
            errors = (error for error, _ in zip(validator.iter_errors(value), range(MOST), strict=False))
            return [f"{where}: {'/'.join(('', *map(str, error.schema_path)))}" for error in errors]
        except (Unusable, Unresolvable, ValueError) as error:
            return [f"{where}: it cannot be checked ({type(error).__name__})"]

    def _validator(self, schema: Any) -> tuple[jsonschema_rs.Validator, frozenset[str]]:
        found = self._compiled.get(id(schema))
        if found is None:
            alone = self._document.standalone(schema)
            found = self._compiled[id(schema)] = compiled(alone), parameters.types(alone)
        return found
