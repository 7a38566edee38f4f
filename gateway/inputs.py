"""What an operation takes: its parameters and its body as the contract describes them, made self-contained."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from gateway.schemas import Document

_PARAMETER = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)\}")
_STYLES = {"query": "form", "cookie": "form"}  # by place, where none is said; simple for the others

Wire = Mapping[str, Any]


@dataclass(frozen=True)
class Body:
    """What may be sent as the body. `schema` is that of JSON; None: anything, or another media type."""

    schema: Wire | None = None
    required: bool = False
    media: tuple[str, ...] = ()

    @classmethod
    def of(cls, document: Document, said: Wire) -> "Body":
        if "requestBody" not in said:
            return cls()
        body = document.follow(said["requestBody"])
        content = {media.lower(): document.follow(what) for media, what in body.get("content", {}).items()}
        schemas = [what["schema"] for media, what in content.items() if is_json(media) and "schema" in what]
        return cls(document.standalone(schemas[0]) if schemas else None, bool(body.get("required")), tuple(content))


@dataclass
class Parameters:
    """The parameters by place, later ones replacing earlier ones of the same name. Header names are in lower case."""

    path: dict[str, Wire] = field(default_factory=dict)
    query: dict[str, Wire] = field(default_factory=dict)
    header: dict[str, Wire] = field(default_factory=dict)
    required_query: set[str] = field(default_factory=set)
    required_headers: set[str] = field(default_factory=set)
    odd: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, document: Document, listed: list[Any]) -> "Parameters":
        found = cls()
        for entry in listed:
            said = document.follow(entry)
            name, place = str(said.get("name")), said.get("in")
            schema = document.standalone(said.get("schema", {}))
            style = said.get("style", _STYLES.get(str(place), "simple"))
            if "content" in said or style not in ("form", "simple") or (style == "form" and said.get("explode") is False):
                found.odd.append(f"the parameter {name} is written in a style that cannot be checked (form and simple can)")
            found._keep(name, place, schema, required=bool(said.get("required")))
        return found

    def _keep(self, name: str, place: Any, schema: Wire, *, required: bool) -> None:
        match place:
            case "path":
                self.path[name] = schema
            case "query":
                self.query[name] = schema
                (self.required_query.add if required else self.required_query.discard)(name)
            case "header":
                self.header[name.lower()] = schema
                (self.required_headers.add if required else self.required_headers.discard)(name.lower())

    def faults(self, path: str) -> list[str]:
        """What keeps them from being enforced on this path template."""
        named = _PARAMETER.findall(path)
        missing = [name for name in named if name not in self.path]
        strange = [name for name in self.path if name not in named]
        twice = sorted({name for name in named if named.count(name) > 1})
        return [
            *self.odd,
            *(f"the path parameter {name} has no description" for name in missing),
            *(f"the path has no parameter {name}" for name in strange),
            *(f"the path names {name} twice" for name in twice),
        ]


def is_json(media: str) -> bool:
    """RFC 6839: application/json and every +json."""
    essence = media.partition(";")[0].strip()
    return essence == "application/json" or essence.endswith("+json")
