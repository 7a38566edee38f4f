"""A request that its contract does not describe goes no further: parameters, media type and body."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

import jsonschema_rs

from gateway import bodies, parameters
from gateway.contracts import BadContract
from gateway.inputs import is_json
from gateway.pipeline import Call, Forward, Operation, Policy
from gateway.violations import MOST, Compiling, Unusable, Violation, compiled, violations
from kernel.problem import BadRequest, Invalid, UnsupportedMediaType

MOST_PARAMETERS = 256  # in a query; a list of 100 and a few beside it must fit
_IGNORED = frozenset({"accept", "content-type", "authorization"})  # OpenAPI 3.1: such header parameters mean nothing
_PROSE = frozenset({"title", "description", "examples", "example", "deprecated"})


def validate_request(operation: Operation) -> Policy | None:
    if operation.layer == "door":  # our own endpoints and mounts: no contract describes them
        return None
    try:
        check_parameters, check_body, check_kind = _parameters(operation), _body(operation), _kind(operation)
    except Unusable as error:
        raise BadContract(f"{operation.method} {operation.path}: a schema cannot be used: {error}") from None

    async def policy(call: Call, forward: Forward) -> None:
        found = check_parameters(call)
        if check_kind is not None:
            found += check_kind(call)
        elif check_body is not None:
            found += check_body(await bodies.read(call), call)
        elif call.headers.get(b"content-length", b"0") != b"0" or b"transfer-encoding" in call.headers:
            raise BadRequest("this operation takes no body")
        if found:
            raise Invalid("the request does not fit the contract", errors=found[:MOST])
        await forward(call)

    return policy


@dataclass(frozen=True, slots=True)
class _Parameter:
    name: str
    place: str
    array: bool
    wanted: frozenset[str]
    validator: Compiling | jsonschema_rs.Validator | None  # None: any text will do

    @classmethod
    def of(cls, operation: Operation, name: str, place: str, schema: Mapping[str, Any]) -> "_Parameter":
        types = parameters.types(schema)
        array = "array" in types
        plain = {key: value for key, value in schema.items() if key not in _PROSE} in ({}, {"type": "string"})
        wanted = parameters.item_types(schema) if array else types
        return cls(name, place, array, wanted, None if plain else _validator(operation, schema))

    def check(self, texts: list[str]) -> list[Violation]:
        if not self.array and len(texts) > 1:
            return [self._violation("it may be given once")]
        if self.validator is None:
            return []
        value: Any = parameters.values(texts, self.wanted) if self.array else parameters.value(texts[0], self.wanted)
        return [] if self.validator.is_valid(value) else violations(self.validator, value, self.place, f"/{self.name}")

    def _violation(self, detail: str) -> Violation:
        return {"in": self.place, "pointer": f"/{self.name}", "detail": detail}


def _validator(operation: Operation, schema: Mapping[str, Any]) -> Compiling | jsonschema_rs.Validator:
    """Raises Unusable, unless the whole document is known to be usable: then the start need not wait for it."""
    document = operation.document
    return Compiling(schema) if document is not None and document.sound else compiled(schema)


def _parameters(operation: Operation) -> Callable[[Call], list[Violation]]:
    path = [_Parameter.of(operation, name, "path", schema) for name, schema in operation.path_parameters.items()]
    path = [parameter for parameter in path if parameter.validator is not None]
    query = {name: _Parameter.of(operation, name, "query", schema) for name, schema in operation.query_parameters.items()}
    header = [
        (name.encode(), _Parameter.of(operation, name, "header", schema), name in operation.required_headers)
        for name, schema in operation.header_parameters.items()
        if name not in _IGNORED
    ]
    required, named = operation.required_query, operation.extensions.get("x-trivium-query") != "open"

    def check(call: Call) -> list[Violation]:
        found: list[Violation] = []
        for parameter in path:
            found += parameter.check([call.path_params[parameter.name]])
        if call.scope["query_string"] or required:
            found += _query(call.scope["query_string"], query, required, named=named)
        for name, parameter, needed in header:
            given = call.headers.get(name)
            if given is not None:
                text = given.decode("latin-1")
                found += parameter.check([part.strip() for part in text.split(",")] if parameter.array else [text])
            elif needed:
                found.append({"in": "header", "pointer": f"/{parameter.name}", "detail": "it is required"})
        return found

    return check


def _query(raw: bytes, known: Mapping[str, _Parameter], required: frozenset[str], *, named: bool) -> list[Violation]:
    """`named`: there are no parameters but those of the contract."""
    try:
        pairs = parse_qsl(raw.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=MOST_PARAMETERS)
    except ValueError:  # UnicodeDecodeError is one
        raise BadRequest(f"the query cannot be read: at most {MOST_PARAMETERS} parameters, as percent-encoded UTF-8") from None
    given: dict[str, list[str]] = {}
    for name, text in pairs:
        given.setdefault(name, []).append(text)
    found: list[Violation] = []
    for name, texts in given.items():
        if name in known:
            found += known[name].check(texts)
        elif named:
            found.append({"in": "query", "pointer": "", "detail": f"the parameters are {', '.join(known) or 'none'}; no others"})
    found += [{"in": "query", "pointer": f"/{name}", "detail": "it is required"} for name in sorted(required - given.keys())]
    return found


def _kind(operation: Operation) -> Callable[[Call], list[Violation]] | None:
    """For a body of which only the media type is promised: it is not read here, so that it may be of any size."""
    if not operation.body_media or operation.body_schema is not None:
        return None
    media = frozenset(operation.body_media)

    def check(call: Call) -> list[Violation]:
        if call.headers.get(b"content-length", b"0") == b"0" and b"transfer-encoding" not in call.headers:
            missing: Violation = {"in": "body", "pointer": "", "detail": "a body is required"}
            return [missing] if operation.body_required else []
        _media_type(call, media)
        return []

    return check


def _body(operation: Operation) -> Callable[[bytes, Call], list[Violation]] | None:
    if not operation.body_media:
        return None
    media = frozenset(operation.body_media)
    validator = _validator(operation, operation.body_schema) if operation.body_schema is not None else None

    def check(body: bytes, call: Call) -> list[Violation]:
        if not body:
            missing: Violation = {"in": "body", "pointer": "", "detail": "a body is required"}
            return [missing] if operation.body_required else []
        essence = _media_type(call, media)
        if validator is None or not is_json(essence):
            return []
        value = bodies.value(call)
        try:
            return [] if validator.is_valid(value) else violations(validator, value, "body")
        except ValueError:  # past the validator's own depth
            raise BadRequest("the body is nested too deeply") from None

    return check


def _media_type(call: Call, accepted: frozenset[str]) -> str:
    given = call.headers.get(b"content-type", b"").decode("latin-1")
    if given in accepted and b"content-encoding" not in call.headers:
        return given
    essence, _, rest = given.lower().partition(";")
    essence = essence.strip()
    charset = rest.partition("charset=")[2].partition(";")[0].strip(' "')
    ranges = ("*/*", f"{essence.partition('/')[0]}/*")
    if (essence not in accepted and accepted.isdisjoint(ranges)) or charset not in ("", "utf-8"):
        raise UnsupportedMediaType(f"the body may be {', '.join(sorted(accepted))}, in UTF-8")
    if call.headers.get(b"content-encoding", b"identity").lower() != b"identity":
        raise UnsupportedMediaType("the body may not be compressed")
    return essence
