"""One request, taken apart: path segments decoded after splitting, parameters checked against what a resource takes."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, unquote

from starlette.datastructures import Headers
from starlette.requests import Request

from sandbox.netsuite import wire
from sandbox.netsuite.draft import Reader, strictness
from sandbox.netsuite.errors import invalid_content, invalid_parameter
from sandbox.netsuite.store import Store

LARGEST_PAGE = 1000
PREFIX = "/services/rest/"


@dataclass(frozen=True)
class Call:
    """`path` and `query` as they stand on the wire; `root` is the REST root in the host form that the caller used."""

    method: str
    path: str
    query: str
    headers: Headers
    body: bytes
    scheme: str

    @classmethod
    async def of(cls, request: Request) -> "Call":
        scope = request.scope
        raw = scope.get("raw_path") or scope["path"].encode()
        query = scope["query_string"].decode("latin-1")
        return cls(request.method, raw.decode("latin-1"), query, request.headers, await request.body(), scope["scheme"])

    @property
    def host(self) -> str:
        return self.headers.get("host", "")

    @property
    def root(self) -> str:
        return f"{self.scheme}://{self.host}/services/rest"

    @property
    def segments(self) -> list[str]:
        """Below the REST root; an encoded slash belongs to its segment."""
        return [unquote(part) for part in self.path.removeprefix(PREFIX).rstrip("/").split("/")]

    def params(self, *allowed: str) -> dict[str, str]:
        sent = dict(parse_qsl(self.query, keep_blank_values=True))
        for name in sent:
            if name not in allowed:
                raise invalid_parameter(name, f"Invalid query parameter name: {name}.")
        return sent

    def json(self) -> Any:
        try:
            return wire.read(self.body)
        except wire.NotJson:
            raise invalid_content("Invalid JSON: the request body cannot be parsed.") from None

    def prefers(self, preference: str) -> bool:
        return preference in [one.strip().lower() for one in self.headers.get("prefer", "").split(",")]

    def reader(self, store: Store, params: dict[str, str]) -> Reader:
        """How this request wants its body read: the validation headers and `replace`."""
        names = strictness("X-NetSuite-PropertyNameValidation", self.headers.get("x-netsuite-propertynamevalidation"), "Warning")
        values = strictness("X-NetSuite-PropertyValueValidation", self.headers.get("x-netsuite-propertyvaluevalidation"), "Error")
        replace = frozenset(name.strip() for name in params.get("replace", "").split(",") if name.strip())
        return Reader(store, names, values, replace)


def page(params: dict[str, str]) -> tuple[int, int]:
    """limit and offset; the offset must be a multiple of the limit."""
    limit, offset = _count(params, "limit", LARGEST_PAGE), _count(params, "offset", 0)
    if not 1 <= limit <= LARGEST_PAGE:
        raise invalid_parameter("limit", f"The limit must be between 1 and {LARGEST_PAGE}.")
    if offset % limit:
        raise invalid_parameter("offset", "The offset must be divisible by the limit.")
    return limit, offset


def _count(params: dict[str, str], name: str, otherwise: int) -> int:
    text = params.get(name)
    if text is None:
        return otherwise
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise invalid_parameter(name, f"Invalid value {text} of the query parameter {name}.")
    return int(text)


def flag(params: dict[str, str], name: str) -> bool:
    text = params.get(name, "false").lower()
    if text not in ("true", "false"):
        raise invalid_parameter(name, f"Invalid value {text} of the query parameter {name}.")
    return text == "true"
