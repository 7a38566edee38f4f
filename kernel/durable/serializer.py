"""What the engine stores is JSON, and a stored `Problem` comes back in its own class; pickle is neither written nor read.

DBOS picks the format by a column of the row, so configuring a serializer is not enough: whoever can write that column could have
pickled data loaded. `forbid_pickle` closes that door.
"""

import json
from typing import Any, NoReturn

from dbos import Serializer
from dbos._serialization import DefaultSerializer
from pydantic_core import to_jsonable_python

from kernel.problem import Problem

_PROBLEM, _ERROR = "$problem", "$error"


class EngineError(RuntimeError):
    """An exception of the engine's own, as it was recorded: class name and message."""


class JsonSerializer(Serializer):
    """DBOS's serializer interface over JSON."""

    def name(self) -> str:
        return "trivium_json"

    def serialize(self, data: Any) -> str:
        return json.dumps(_plain(data), separators=(",", ":"), ensure_ascii=False)

    def deserialize(self, serialized_data: str) -> Any:
        return _restored(json.loads(serialized_data))


def _plain(data: Any) -> Any:
    match data:
        case Problem():
            return {_PROBLEM: data.body(), "retry_after": data.retry_after}
        case BaseException():
            return {_ERROR: type(data).__name__, "message": str(data)}
        case _:
            return to_jsonable_python(data)


def _restored(value: Any) -> Any:
    match value:
        case {"$problem": dict() as body, "retry_after": after}:
            return Problem.from_body(body, retry_after=after)
        case {"$error": str() as kind, "message": str() as message}:
            return EngineError(f"{kind}: {message}")
        case _:
            return value


def _refuse(_self: DefaultSerializer, serialized_data: str) -> NoReturn:
    raise TypeError(f"{len(serialized_data)} bytes of pickled data were found in the durable database; they are not loaded")


def forbid_pickle() -> None:
    """From now on this process refuses pickled rows of the engine's tables."""
    DefaultSerializer.deserialize = _refuse  # type: ignore[assignment,method-assign]
