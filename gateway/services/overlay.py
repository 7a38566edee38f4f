"""A foreign document and what the settings say of its service become operations like our own; what cannot be is said in words.

Nothing of it is public, unlimited or unchecked by accident: what is not offered is a 404, what passes unchecked is in the notes.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from gateway.contracts import METHODS, BadContract, understood
from gateway.pipeline import Operation
from gateway.routes import OVERLAP, overlapping
from gateway.schemas import Document, Unresolvable, Wire
from gateway.services.bundle import Read, bundled
from gateway.services.dialect import modern
from gateway.services.inputs import OPEN, body, checkable
from gateway.services.scopes import SCHEME, Scopes
from gateway.upstreams.target import SLASH
from kernel.sections.services import Service

LAYER = "services"
_TEMPLATE = re.compile(r"(?:/(?!\.{1,2}(?:/|$))(?:[A-Za-z0-9._~-]+|\{[^{}/]+\}))*/?")
_IDENTITY, _STRANGE = re.compile(r"[A-Za-z0-9_.:-]{1,100}"), re.compile(r"[^A-Za-z0-9]+")


@dataclass(frozen=True)
class Governed:
    """How a service is governed. `base`: the path that its document says all of its paths are below."""

    service: Service
    operations: tuple[Operation, ...]
    notes: tuple[str, ...]
    base: str


def governed(service: Service, read: Read) -> Governed:
    """`read`: the text of a file, by the name that the settings or a file give it. Raises BadContract, naming the service."""
    try:
        document = bundled(service.contract.as_posix(), read)
        overlay = _Overlay(service, document)
        operations, faults = understood(overlay.document(), service.name)
        overlay.check_names()
    except (BadContract, Unresolvable) as error:
        raise BadContract(f"service {service.name}: {error}") from None
    if faults:
        raise BadContract("\n".join(f"service {fault}" for fault in faults))
    return Governed(service, tuple(operations), tuple(overlay.notes), _base(document))


@dataclass
class _Overlay:
    service: Service
    root: dict[str, Any]
    notes: list[str] = field(default_factory=list)
    known: set[str] = field(default_factory=set)  # operationIds of the document

    def __post_init__(self) -> None:
        version = str(self.root.get("openapi", ""))
        if not version.startswith("3."):
            said = f"Swagger {self.root['swagger']}" if "swagger" in self.root else "no OpenAPI document"
            raise BadContract(f"it is {said}; OpenAPI 3 is needed")
        if not isinstance(self.root.get("paths"), dict) or not isinstance(self.root.get("info"), dict):
            raise BadContract("it has no info or no paths")
        if version.startswith("3.0"):
            self.root = modern(self.root)
        self._document = Document(self.root)
        self._scopes = Scopes(self.service, self._document)

    def document(self) -> Wire:
        """The document as the gateway reads its own."""
        service, info = self.service, self.root["info"]
        extended = {
            **info, "x-trivium-api": service.api, "x-trivium-layer": LAYER, "x-trivium-audience": service.audience,
            **({"x-trivium-owner": service.owner} if service.owner else {}),
            **({"x-trivium-lifecycle": dict(service.lifecycle)} if service.lifecycle else {}),
        }  # fmt: skip
        paths = self._paths()
        scheme = {"type": "oauth2", "flows": {"clientCredentials": {"tokenUrl": "/oauth/token", "scopes": self._scopes.named}}}
        components = self.root.get("components", {})
        schemes = {**components.get("securitySchemes", {}), SCHEME: scheme}
        # ETags are its own affair, its answers are not held back, and how it tells its paths apart is not known here.
        usual: dict[str, Any] = {"x-trivium-conditional": "none", OVERLAP: "refused"}
        if service.limits:
            usual["x-trivium-limits"] = {plan: [dict(limit) for limit in limits] for plan, limits in service.limits.items()}
        own = {name: value for name, value in self.root.items() if name not in ("servers", "security")}
        return {
            **usual, **own, **service.extensions,
            "info": extended, "paths": paths, "components": {**components, "securitySchemes": schemes},
        }  # fmt: skip

    def check_names(self) -> None:
        """Whether the settings speak of operations that are there."""
        service = self.service
        said = {*service.omit, *service.public, *service.websockets, *service.scopes.operations}
        if strange := sorted(said - self.known):
            raise BadContract(f"the settings name {', '.join(strange)}, which the document does not have")

    def _paths(self) -> dict[str, dict[str, Any]]:
        paths: dict[str, dict[str, Any]] = {}
        taken: set[str] = set()
        for path, method, said, shared in self._entries():
            at = f"{method.upper()} {path}"
            identity = self._identity(at, said, taken)
            if identity in self.service.omit:
                continue
            if not _TEMPLATE.fullmatch(path):
                self._note(at, "is not offered: its path has parameters or characters within a segment")
                continue
            ours, operation = self._operation(at, path, said, shared, identity)
            if method in paths.setdefault(ours, {}):
                self._note(at, "is not offered: but for a slash at its end it is another operation's path")
            else:
                paths[ours][method] = operation
        self._note_overlaps(paths)
        return paths

    def _entries(self) -> Iterator[tuple[str, str, Wire, list[Any]]]:
        for path, item in self.root["paths"].items():
            resolved = self._document.follow(item)
            for method in ("trace", "options"):
                if method in resolved:
                    self._note(f"{method.upper()} {path}", "is not offered: the door answers such requests itself")
            for method in METHODS:
                if isinstance(resolved.get(method), dict):
                    yield str(path), method, resolved[method], resolved.get("parameters", [])

    def _identity(self, at: str, said: Wire, taken: set[str]) -> str:
        own = said.get("operationId")
        if isinstance(own, str) and _IDENTITY.fullmatch(own) and own not in taken:
            identity = own
        else:
            identity, number = _STRANGE.sub("_", at).strip("_").lower(), 1
            while identity in taken:
                number += 1
                identity = f"{identity.rstrip('0123456789')}{number}"
            self._note(
                at, f"is called {identity} here: " + ("its operationId cannot be used" if own else "it has no operationId")
            )
        taken.add(identity)
        self.known.add(identity)
        return identity

    def _operation(self, at: str, path: str, said: Wire, shared: Sequence[Any], identity: str) -> tuple[str, dict[str, Any]]:
        def note(text: str) -> None:
            self._note(at, text)

        service = self.service
        inputs = checkable(self._document, path, [*shared, *said.get("parameters", [])], note)
        if "servers" in said:
            note("has servers of its own, which are not used")
        operation: dict[str, Any] = {
            "x-trivium-timeout": service.timeout, "x-trivium-max-body": service.max_body, **said, "operationId": identity,
            "parameters": inputs.parameters, "security": self._scopes.security(at, said, identity, note),
        }  # fmt: skip
        if "requestBody" in said:
            operation["requestBody"] = body(self._document, said["requestBody"], note)
        if inputs.open:
            operation[OPEN] = "open"
        if identity in service.websockets:
            if not at.startswith("GET "):
                raise BadContract(f"{identity} cannot be a WebSocket: it is no GET")
            operation["x-trivium-websocket"] = True
        if path.endswith("/") and path != "/":
            operation[SLASH] = True
        return service.prefix + _renamed(path, inputs.renamed).rstrip("/"), operation

    def _note_overlaps(self, templates: Iterable[str]) -> None:
        pairs = list(overlapping(templates))
        if pairs:
            shown = "; ".join(f"{one} and {other}" for one, other in pairs[:3])
            more = f" and {len(pairs) - 3} more pairs" if len(pairs) > 3 else ""
            self.notes.append(f"paths that fit two templates equally well are not offered: {shown}{more}")

    def _note(self, at: str, text: str) -> None:
        self.notes.append(f"{at} {text}")


def _renamed(path: str, names: Mapping[str, str]) -> str:
    for theirs, ours in names.items():
        path = path.replace(f"{{{theirs}}}", f"{{{ours}}}")
    return path


def _base(root: Wire) -> str:
    """The path of the document's first server, its variables at their defaults."""
    servers = root.get("servers") or [{}]
    said = servers[0] if isinstance(servers[0], dict) else {}
    url = str(said.get("url", ""))
    for name, variable in said.get("variables", {}).items():
        url = url.replace(f"{{{name}}}", str(variable.get("default", "")))
    return "" if "{" in url else urlsplit(url).path.rstrip("/")
