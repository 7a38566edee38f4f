"""The top-level fields of a call by name. Only names that the contract knows are told: any other may be data, and is `*`."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from starlette.types import Message, Send

from gateway import bodies
from gateway.classification.schema_sets import SchemaSet
from gateway.inputs import is_json
from gateway.pipeline import Call, Operation
from gateway.responses import Responses
from gateway.schemas import Document

CALL, QUERY, REQUEST, RESPONSE = "call", "query", "request", "response"
UNKNOWN = "*"
LARGEST = 262_144  # bytes of an answer that is looked into
Seen = tuple[str, str]  # part and field


@dataclass(frozen=True)
class Fields:
    """What the contract of one operation names."""

    query: frozenset[str]
    request: frozenset[str]
    response: frozenset[str]

    @classmethod
    def of(cls, operation: Operation) -> "Fields":
        """Raises Unresolvable for a reference that leads nowhere."""
        document, body = operation.document or Document({}), operation.body_schema
        promised = (answer for status, answer in Responses.of(operation).by_status.items() if status.startswith("2"))
        answers = [schema for answer in promised for media, schema in answer.content.items() if is_json(media)]
        return cls(
            query=frozenset(operation.query_parameters),
            request=frozenset() if body is None else SchemaSet(Document(body), [body]).names,
            response=SchemaSet(document, [schema for schema in answers if schema is not None]).names,
        )

    def asked(self, call: Call) -> Iterator[Seen]:
        """Of a request that was found to fit."""
        yield CALL, ""
        raw = call.scope["query_string"]
        if raw:
            pairs = parse_qsl(raw.decode("ascii"), keep_blank_values=True)
            yield from _named(QUERY, {name for name, _ in pairs}, self.query)
        if call.body and self.request and is_json(_media(call.header(b"content-type"))):
            yield from _named(REQUEST, bodies.value(call), self.request)

    def answered(self, body: bytes) -> Iterator[Seen]:
        try:
            value = json.loads(body)
        except (ValueError, RecursionError):  # not for us to judge
            return
        yield from _named(RESPONSE, value, self.response)


class Sniffed:
    """Passes an answer on as it comes, and remembers the body of a success in JSON that is not too large."""

    __slots__ = ("_chunks", "_send", "_size")

    def __init__(self, send: Send) -> None:
        self._send, self._size = send, 0
        self._chunks: list[bytes] | None = None

    @property
    def body(self) -> bytes:
        """Nothing where there is nothing to look into."""
        return b"".join(self._chunks or ())

    async def take(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._chunks = [] if 200 <= message["status"] < 300 and _is_plain_json(message.get("headers", ())) else None
        elif self._chunks is not None:
            chunk = message.get("body", b"")
            self._size += len(chunk)
            if self._size <= LARGEST:
                self._chunks.append(chunk)
            else:
                self._chunks = None
        await self._send(message)


def _named(part: str, value: Any, known: frozenset[str]) -> Iterable[Seen]:
    """The members of an object; of anything else none."""
    if not isinstance(value, dict | set):
        return ()
    return {(part, name if name in known else UNKNOWN) for name in value}


def _is_plain_json(headers: Iterable[tuple[bytes, bytes]]) -> bool:
    named = dict(headers)
    return is_json(_media(named.get(b"content-type"))) and b"content-encoding" not in named


def _media(header: bytes | None) -> str:
    return (header or b"").decode("latin-1").partition(";")[0].strip().lower()
