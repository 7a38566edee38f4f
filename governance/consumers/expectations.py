"""What an application expects of an operation, in a file: an example request, and what of its answer the application reads.

    application: sales-portal
    expectations:
    - name: a person sees why a quote may not become an order
      operation: process/quotes/v1#validate_quote
      given: {quote: 0Q05g00000000001AA}          # examples; who verifies may say others
      request: {body: {connection: salesforce, id: "{quote}"}}      # path, query, headers, body
      answer: {status: 200, fields: {verdict: string, checks: [{name: string, verdict: string}]}}

Of `fields` all must be there. A type is string, integer, number, boolean, object, array or null, or some of them with | between;
an object is written as its fields, a list as what each of its elements is. What is not named does not matter.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from governance.source import Source, Unreadable

FOLDER = Path("consumers") / "expectations"
TYPES = frozenset({"string", "integer", "number", "boolean", "object", "array", "null"})
_REFERENCE = re.compile(r"([a-z0-9_/.-]+/v[0-9]+)#([A-Za-z0-9_.-]+)", re.ASCII)
_GIVEN = re.compile(r"\{([a-z][a-z0-9_]*)\}", re.ASCII)
_KNOWN = {"name", "operation", "given", "request", "answer"}
_PARTS = ("path", "query", "headers", "body")


@dataclass(frozen=True)
class Expectation:
    """One request and what is expected of its answer. `fields`: a JSON Schema; None: the body does not matter."""

    application: str
    name: str
    api: str  # process/quotes/v1
    operation: str  # its operationId
    given: Mapping[str, str]
    request: Mapping[str, Any]
    status: int
    fields: Mapping[str, Any] | None
    source: Source
    pointer: str

    @property
    def line(self) -> int:
        return self.source.line(self.pointer)

    def asked(self, part: str, given: Mapping[str, str]) -> Any:
        """`path`, `query`, `headers` or `body` of the request; `given` replaces the examples."""
        return _filled(self.request.get(part, None if part == "body" else {}), {**self.given, **given})


def read(file: Path) -> list[Expectation]:
    """Raises Unreadable for a file that says something else than it should."""
    source = Source.read(file)
    said: Any = source.root
    if not isinstance(said, dict) or said.keys() != {"application", "expectations"} or not isinstance(said["expectations"], list):
        raise Unreadable(f"{source.name}: it needs an application and a list of expectations, and nothing else")
    return list(_expectations(source, str(said["application"]), said["expectations"]))


def shape(said: Any) -> dict[str, Any]:
    """The JSON Schema of what is written in `fields`. Raises ValueError."""
    match said:
        case str():
            types = [part.strip() for part in said.split("|")]
            if not TYPES.issuperset(types):
                raise ValueError(f"{said!r} is no type; types are {', '.join(sorted(TYPES))}, with | between them")
            return {"type": types if len(types) > 1 else types[0]}
        case dict():
            names = {str(name): shape(inner) for name, inner in said.items()}
            return {"type": "object", "required": sorted(names), "properties": names}
        case [one]:
            return {"type": "array", "items": shape(one)}
        case _:
            raise ValueError(f"{said!r} is neither a type, nor fields, nor a list of one of them")


def _expectations(source: Source, application: str, listed: list[Any]) -> Iterator[Expectation]:
    for index, said in enumerate(listed):
        try:
            yield _expectation(source, application, f"/expectations/{index}", said)
        except ValueError as error:
            raise Unreadable(f"{source.name}:{source.line(f'/expectations/{index}')}: {error}") from None


def _expectation(source: Source, application: str, pointer: str, said: Any) -> Expectation:
    if not isinstance(said, dict) or not said.keys() <= _KNOWN or not {"name", "operation", "answer"} <= said.keys():
        raise ValueError("it needs a name, an operation and an answer; given and request are what it may say besides")
    reference = _REFERENCE.fullmatch(str(said["operation"]))
    if reference is None:
        raise ValueError("an operation is written as process/quotes/v1#validate_quote")
    answer, request = said["answer"], said.get("request", {})
    if not isinstance(answer, dict) or not answer.keys() <= {"status", "fields"} or type(answer.get("status")) is not int:
        raise ValueError("an answer is a status and, where they matter, fields")
    if not isinstance(request, dict) or not request.keys() <= set(_PARTS):
        raise ValueError(f"a request has {', '.join(_PARTS)}")
    given = {str(name): str(value) for name, value in (said.get("given") or {}).items()}
    missing = sorted(set(_mentioned(request)) - given.keys())
    if missing:
        raise ValueError(f"the request names {{{missing[0]}}}, of which given has no example")
    fields = shape(answer["fields"]) if "fields" in answer else None
    return Expectation(
        application, str(said["name"]), reference[1], reference[2], given, request, answer["status"], fields, source, pointer
    )


def _mentioned(value: Any) -> Iterator[str]:
    match value:
        case str():
            yield from _GIVEN.findall(value)
        case dict():
            for inner in value.values():
                yield from _mentioned(inner)
        case list():
            for inner in value:
                yield from _mentioned(inner)


def _filled(value: Any, given: Mapping[str, str]) -> Any:
    match value:
        case str():
            return _GIVEN.sub(lambda found: given[found[1]], value)
        case dict():
            return {str(name): _filled(inner, given) for name, inner in value.items()}
        case list():
            return [_filled(inner, given) for inner in value]
        case _:
            return value
