"""A contract: an OpenAPI 3.0, 3.1 or 3.2 or an AsyncAPI 3 document, loaded once and walked by all who ask about promises."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from governance import schemas
from governance.node import Alone, Files, Library, Node
from governance.source import Source, Unreadable
from governance.walk import everything

METHODS = ("get", "put", "post", "patch", "delete", "head", "options", "trace", "query")
OPENAPI, ASYNCAPI = "openapi", "asyncapi"
_PARAMETER = re.compile(r"\{([^{}/]+)\}")


@dataclass(frozen=True)
class Operation:
    """One method of one path (`path` is the template), with what its path item says for all methods."""

    contract: "Contract"
    method: str  # lower case; "send" or "receive" in AsyncAPI
    path: str  # the channel's address in AsyncAPI
    node: Node
    item: Node

    @property
    def id(self) -> str:
        """Its operationId; in AsyncAPI the name it stands under."""
        if self.contract.kind == ASYNCAPI:
            return self.node.key
        return str(self.node.get("operationId", self.name))

    @property
    def name(self) -> str:
        return f"{self.method.upper()} {self.path}"

    def extension(self, name: str, default: Any = None) -> Any:
        """`x-trivium-<name>`: the operation's own, else the document's, else that of `info`."""
        key = f"x-trivium-{name}"
        for level in (self.node, self.contract.root, self.contract.info):
            if key in level:
                return level.get(key)
        return default

    @cached_property
    def parameters(self) -> tuple[Node, ...]:
        """Of path item and operation, references followed; the operation's replace those of the same name and place."""
        found: dict[tuple[str, str], Node] = {}
        for owner in (self.item, self.node):
            for said in owner.raw("parameters").elements():
                parameter = said.followed()
                found[str(parameter.get("in")), str(parameter.get("name"))] = parameter
        return tuple(found.values())

    @property
    def path_names(self) -> list[str]:
        return _PARAMETER.findall(self.path)

    @property
    def body(self) -> Node | None:
        return self.node.at("requestBody") if "requestBody" in self.node else None

    @cached_property
    def responses(self) -> dict[str, Node]:
        """By status ("200", "4XX", "default"), references followed."""
        return {status: said.followed() for status, said in self.node.raw("responses").items() if not status.startswith("x-")}

    @property
    def successes(self) -> dict[str, Node]:
        return {status: said for status, said in self.responses.items() if status[0] == "2"}

    @property
    def security(self) -> list[dict[str, list[str]]] | None:
        """The requirements in force; None where neither operation nor document says any."""
        found = self.node.get("security", self.contract.root.get("security"))
        return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else None

    @property
    def scopes(self) -> frozenset[str]:
        return frozenset(scope for one in self.security or () for scopes in one.values() for scope in scopes or ())

    @property
    def tags(self) -> list[str]:
        return [str(tag) for tag in self.node.get("tags") or ()]


class Contract:
    """One document and what it refers to. Raises Unreadable for what is no contract at all."""

    def __init__(self, source: Source, library: Library | None = None) -> None:
        if not isinstance(source.root, dict):
            raise Unreadable(f"{source.name}: it is not an object")
        self.source = source
        self.root = Node(source.root, source, library or Alone())
        self.kind = next((kind for kind in (OPENAPI, ASYNCAPI) if kind in source.root), "")
        self.dialect = str(source.root.get(self.kind, "")) if self.kind else ""
        supported = {OPENAPI: ("3.0", "3.1", "3.2"), ASYNCAPI: ("3.",)}.get(self.kind, ())
        if not self.dialect.startswith(supported) or not supported:
            raise Unreadable(f"{source.name}: it is not OpenAPI 3.0, 3.1 or 3.2, nor AsyncAPI 3")

    @classmethod
    def load(cls, path: Path, root: Path | None = None, library: Files | None = None) -> "Contract":
        """The contract in a file; `root` is the tree that references may stay in (its folder, if none is given)."""
        root = root or path.parent
        found = library or Files(root)
        return cls(found.add(Source.read(path, str(path.relative_to(root)))), found)

    @classmethod
    def parse(cls, text: str, name: str = "contract.yaml") -> "Contract":
        return cls(Source(name, text))

    @property
    def name(self) -> str:
        return self.source.name

    @property
    def info(self) -> Node:
        return self.root.raw("info")

    @property
    def version(self) -> str:
        return str(self.info.get("version", ""))

    @property
    def api(self) -> str:
        """`process/orders`; the file's name where the document does not say."""
        return str(self.info.get("x-trivium-api") or self.name)

    @property
    def layer(self) -> str:
        return str(self.info.get("x-trivium-layer", ""))

    @property
    def audience(self) -> str:
        return str(self.info.get("x-trivium-audience", ""))

    @property
    def stage(self) -> str:
        found = self.info.get("x-trivium-lifecycle")
        return str(found.get("stage", "")) if isinstance(found, dict) else ""

    @cached_property
    def operations(self) -> tuple[Operation, ...]:
        return tuple(self._async_operations() if self.kind == ASYNCAPI else self._operations("paths"))

    @cached_property
    def webhooks(self) -> tuple[Operation, ...]:
        return tuple(self._operations("webhooks"))

    @cached_property
    def objects(self) -> tuple[Node, ...]:
        """Every object of this document that is not an example or a default."""
        return tuple(everything(self.root))

    @cached_property
    def schemas(self) -> tuple[schemas.Found, ...]:
        """Every schema written in this document, each once, with where it is used."""
        return tuple(schemas.of(self))

    def component(self, kind: str) -> Node:
        return self.root.at("components", kind)

    def _operations(self, place: str) -> Iterator[Operation]:
        for path, said in self.root.at(place).items():
            item = said.followed()
            for method in METHODS:
                if isinstance(item.get(method), dict):
                    yield Operation(self, method, path, item.raw(method), item)

    def _async_operations(self) -> Iterator[Operation]:
        for _, said in self.root.at("operations").items():
            operation = said.followed()
            channel = operation.at("channel")
            yield Operation(self, str(operation.get("action", "")), str(channel.get("address", "")), operation, channel)
