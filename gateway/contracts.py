"""Every contract below a directory becomes Operations, or the start is refused with all that is wrong, named by file and path."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gateway.inputs import Body, Parameters
from gateway.limits.declared import declared
from gateway.pipeline import Limit, Operation
from gateway.schemas import Document, Unresolvable
from gateway.soundness import usable
from governance.source import parsed

METHODS = ("get", "put", "post", "patch", "delete")
DEFAULT_TIMEOUT = 10.0  # seconds
DEFAULT_MAX_BODY = 65_536  # bytes
_TEMPLATE = re.compile(r"(?:/(?!\.{1,2}(?:/|$))(?:[A-Za-z0-9._~-]+|\{[A-Za-z_][A-Za-z0-9_]*\}))+")

Wire = Mapping[str, Any]


class BadContract(ValueError):
    """The contracts cannot be enforced; each line says where and why."""


@dataclass
class _Reading:
    """One contract file while it is read."""

    where: str
    document: Document
    faults: list[str] = field(default_factory=list)

    def fault(self, place: str, what: str) -> None:
        self.faults.append(f"{self.where}: {place}: {what}")


def load(directory: Path, known_scopes: Iterable[str] | None = None) -> tuple[Operation, ...]:
    """The operations of all *.yaml below `directory`, by file name. `known_scopes`: those the token issuer can grant.

    Raises BadContract, listing everything found wrong.
    """
    files = sorted(directory.rglob("*.yaml"))
    if not files:
        raise BadContract(f"there is no contract below {directory}")
    return load_texts({str(file.relative_to(directory)): file.read_text(encoding="utf-8") for file in files}, known_scopes)


def load_texts(texts: Mapping[str, str], known_scopes: Iterable[str] | None = None) -> tuple[Operation, ...]:
    """`load` for contracts that were read already, by file name."""
    return load_documents({where: attempted(text) for where, text in texts.items()}, known_scopes)


def load_documents(documents: Mapping[str, Any], known_scopes: Iterable[str] | None = None) -> tuple[Operation, ...]:
    """`load` for contracts that were `attempted` already, by file name."""
    scopes = None if known_scopes is None else frozenset(known_scopes)
    operations: list[Operation] = []
    faults: list[str] = []
    for where, document in documents.items():
        try:
            found, wrong = understood(document, where, scopes)
        except BadContract as error:
            found, wrong = [], [f"{where}: cannot be read: {error}"]
        operations += found
        faults += wrong
    faults += _duplicates(operations)
    if faults:
        raise BadContract("\n".join(faults))
    return tuple(operations)


def read(text: str, where: str, known_scopes: frozenset[str] | None = None) -> tuple[list[Operation], list[str]]:
    """The operations of one document, and what is wrong with it."""
    return understood(parse(text), where, known_scopes)


def parse(text: str) -> Any:
    """YAML as contracts are written in it. Raises BadContract."""
    try:
        return parsed(text)
    except (ValueError, RecursionError) as error:
        raise BadContract(str(error)) from None


def attempted(text: str) -> Any:
    """What the text says, or the BadContract that it is."""
    try:
        return parse(text)
    except BadContract as error:
        return error


def understood(document: Any, where: str, known_scopes: frozenset[str] | None = None) -> tuple[list[Operation], list[str]]:
    """`read`, for a document that was parsed already."""
    if isinstance(document, BadContract):
        raise document
    if (
        not isinstance(document, dict)
        or not isinstance(document.get("paths"), dict)
        or not isinstance(document.get("info"), dict)
    ):
        raise BadContract("it is not an OpenAPI document with info and paths")
    reading = _Reading(where, Document(document))
    operations = []
    for path, item in document["paths"].items():
        for method, body, shared in _entries(reading, path, item):
            operation = _operation(reading, (method, path), body, shared, known_scopes)
            if operation is not None:
                operations.append(operation)
    reading.document.sound = usable(operations)
    return operations, reading.faults


def _entries(reading: _Reading, path: str, item: Any) -> Iterator[tuple[str, Wire, list[Any]]]:
    if not isinstance(path, str) or not (path == "/" or _TEMPLATE.fullmatch(path)):
        reading.fault(str(path), "a path is made of plain segments and {parameters} that fill a whole segment")
        return
    resolved = reading.document.follow(item)
    for method in METHODS:
        if isinstance(resolved.get(method), dict):
            yield method, resolved[method], resolved.get("parameters", [])


def _operation(
    reading: _Reading, place: tuple[str, str], said: Wire, shared: list[Any], known: frozenset[str] | None
) -> Operation | None:
    method, path = place
    at = f"{method.upper()} {path}"
    before = len(reading.faults)
    info = reading.document.root["info"]
    try:
        body = Body.of(reading.document, said)
        parameters = Parameters.of(reading.document, [*shared, *said.get("parameters", [])])
    except Unresolvable as error:
        reading.fault(at, str(error))
        return None
    scopes = _scopes(reading, at, said, known)
    limits = _limits(reading, at, said)
    for problem in (*parameters.faults(path), *_scalar_faults(said)):
        reading.fault(at, problem)
    if len(reading.faults) > before:
        return None
    return Operation(
        id=_identity(info, said["operationId"]),
        api=str(info.get("x-trivium-api", reading.where)),
        version=str(info.get("version", "")),
        layer=str(info.get("x-trivium-layer", "")),
        method=method.upper(),
        path=path,
        scopes=scopes or frozenset(),
        public=not scopes,
        limits=limits,
        idempotency=said.get("x-trivium-idempotency", "none"),
        timeout=float(said.get("x-trivium-timeout", DEFAULT_TIMEOUT)),
        max_body=int(said.get("x-trivium-max-body", DEFAULT_MAX_BODY)),
        audience=str(said.get("x-trivium-audience", info.get("x-trivium-audience", "internal"))),
        path_parameters=parameters.path,
        query_parameters=parameters.query,
        required_query=frozenset(parameters.required_query),
        header_parameters=parameters.header,
        required_headers=frozenset(parameters.required_headers),
        body_schema=body.schema,
        body_required=body.required,
        body_media=body.media,
        lifecycle=info.get("x-trivium-lifecycle", {}),
        extensions=_extensions(reading.document.root, said),
        said=said,
        document=reading.document,
    )


def _extensions(root: Wire, said: Wire) -> Wire:
    """What is said of the whole document holds for each operation that does not say otherwise."""
    levels = (root, root["info"], said)
    return {name: value for level in levels for name, value in level.items() if isinstance(name, str) and name.startswith("x-")}


def _scopes(reading: _Reading, at: str, said: Wire, known: frozenset[str] | None) -> frozenset[str] | None:
    """None for an operation that is public on purpose."""
    security = said.get("security", reading.document.root.get("security"))
    if security is None:
        reading.fault(at, "it has no security; say `security: []` if everybody may call it")
    elif security and (len(security) != 1 or len(security[0]) != 1):
        reading.fault(at, "exactly one security requirement with one scheme can be enforced")
    if not security or len(security) != 1 or len(security[0]) != 1:
        return None
    ((scheme, scopes),) = security[0].items()
    if not scopes:
        reading.fault(at, f"{scheme} is required without any scope; name one")
    declared = _declared_scopes(reading.document, scheme)
    for scope in scopes:
        if scope not in declared:
            reading.fault(at, f"the scope {scope} is unknown to the security scheme {scheme}")
        elif known is not None and scope not in known:
            reading.fault(at, f"the scope {scope} is unknown to the authorization server")
    return frozenset(scopes)


def _declared_scopes(document: Document, scheme: str) -> frozenset[str]:
    said = document.follow(document.root.get("components", {}).get("securitySchemes", {}).get(scheme, {}))
    return frozenset(scope for flow in said.get("flows", {}).values() for scope in flow.get("scopes", {}))


def _limits(reading: _Reading, at: str, said: Wire) -> Mapping[str, tuple[Limit, ...]]:
    """By plan, what the contract itself grants; what is in force besides is for `gateway.limits.grants` to say."""
    root = reading.document.root
    limits, faults = declared((root, root["info"], said))
    for fault in faults:
        reading.fault(at, fault)
    return limits


def _scalar_faults(said: Wire) -> Iterator[str]:
    if not isinstance(said.get("operationId"), str) or not said["operationId"]:
        yield "it has no operationId"
    if said.get("x-trivium-idempotency", "none") not in ("required", "none"):
        yield "x-trivium-idempotency is required or none"
    timeout, body = said.get("x-trivium-timeout", DEFAULT_TIMEOUT), said.get("x-trivium-max-body", DEFAULT_MAX_BODY)
    if isinstance(timeout, bool) or not isinstance(timeout, int | float) or not 0 < timeout <= 300:
        yield "x-trivium-timeout is a number of seconds, more than 0 and at most 300"
    if isinstance(body, bool) or not isinstance(body, int) or body < 0:
        yield "x-trivium-max-body is a number of bytes"


def _identity(info: Wire, operation_id: str) -> str:
    """An operationId is unique within its contract; with the API and its major version before it, everywhere."""
    major = str(info.get("version", "")).partition(".")[0]
    return f"{str(info.get('x-trivium-api', 'api')).replace('/', '.')}.v{major}.{operation_id}"


def _duplicates(operations: Iterable[Operation]) -> Iterator[str]:
    seen: dict[str, Operation] = {}
    for operation in operations:
        other = seen.setdefault(operation.id, operation)
        if other is not operation:
            yield f"the operationId {operation.id} is used by {_name(other)} and by {_name(operation)}"


def _name(operation: Operation) -> str:
    return f"{operation.method} {operation.path} ({operation.api})"
