"""What an operation promises to answer: by status, and in each by media type and header."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gateway.pipeline import Operation
from gateway.schemas import Document, Wire


@dataclass(frozen=True, slots=True)
class Response:
    """One promised answer. `content`: media type -> schema, None where anything will do; `headers`: as the contract has them."""

    content: Mapping[str, Any]
    headers: Mapping[str, Wire]

    def schema(self, media: str) -> Any:
        """Raises KeyError for a media type that is not promised (ranges such as text/* count)."""
        essence = media.partition(";")[0].strip().lower()
        for known in (essence, f"{essence.partition('/')[0]}/*", "*/*"):
            if known in self.content:
                return self.content[known]
        raise KeyError(essence)


@dataclass(frozen=True, slots=True)
class Responses:
    """By status as the contract writes it: "200", "2XX", "default"."""

    by_status: Mapping[str, Response]

    def get(self, status: int) -> Response | None:
        for known in (str(status), f"{status // 100}XX", "default"):
            if known in self.by_status:
                return self.by_status[known]
        return None

    @classmethod
    def of(cls, operation: Operation) -> "Responses":
        """Raises Unresolvable for a reference that leads nowhere."""
        document = operation.document
        if document is None:
            return cls({})
        found: dict[str, Response] = {}
        for status, what in operation.said.get("responses", {}).items():
            found[str(status).upper() if str(status) != "default" else "default"] = document.made(what, _response)
        return cls(found)


def _response(document: Document, said: Wire) -> Response:
    content = {
        media.partition(";")[0].strip().lower(): document.follow(inner).get("schema")
        for media, inner in said.get("content", {}).items()
    }
    return Response(content, {name.lower(): document.follow(header) for name, header in said.get("headers", {}).items()})
