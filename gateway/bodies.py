"""A JSON body is read once, in the one way that every parser agrees on, and handed on byte for byte."""

import json
import re
from typing import Any, NoReturn

from starlette.types import Message, Receive

from gateway.deadline import Deadline
from gateway.pipeline import Call
from kernel.problem import BadRequest

ARRIVES_WITHIN = 30.0  # seconds for the whole body
_SHOWABLE = re.compile(r"[A-Za-z0-9_.-]{1,64}")


class _Twice(ValueError):
    pass


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """RFC 8259 section 4: with repeated names, which one counts depends on the parser. None does here."""
    members = dict(pairs)
    if len(members) != len(pairs):
        seen: set[str] = set()
        name = next(name for name, _ in pairs if name in seen or seen.add(name))  # type: ignore[func-returns-value]
        raise _Twice(f" ({name})" if _SHOWABLE.fullmatch(name) else "")
    return members


def _constant(_: str) -> NoReturn:
    raise ValueError("NaN and Infinity are not JSON")


_DECODER = json.JSONDecoder(object_pairs_hook=_members, parse_constant=_constant)


def parsed(body: bytes) -> Any:
    """The JSON value, for checking only. Raises BadRequest, with the position where it knows one."""
    try:
        text = body.decode("utf-8")
        value = _DECODER.decode(text)
        if "\\u" in text:
            json.dumps(value, ensure_ascii=False).encode("utf-8")  # fails on half a surrogate pair
        return value
    except UnicodeDecodeError as error:
        raise BadRequest(f"the body is not UTF-8 (byte {error.start})") from None
    except UnicodeEncodeError:
        raise BadRequest("the body holds text that is not Unicode") from None
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise BadRequest(f"the body is not JSON: {error.msg.lower()} at {where}", position=error.pos) from None
    except _Twice as twice:
        raise BadRequest(f"the body has a member twice in one object{twice}") from None
    except RecursionError:
        raise BadRequest("the body is nested too deeply") from None
    except ValueError:
        raise BadRequest("the body holds a number that JSON does not know") from None


def value(call: Call) -> Any:
    """The JSON value of a body that was read, parsed once; for looking at only. Raises BadRequest."""
    if call.parsed is None:
        call.parsed = (parsed(call.body or b""),)
    return call.parsed[0]


async def read(call: Call) -> bytes:
    """The whole body; whoever receives after this gets it again. Raises BadRequest when it does not arrive."""
    if call.body is None:
        try:
            with Deadline(ARRIVES_WITHIN):
                call.body = await _whole(call.receive)
        except TimeoutError:
            raise BadRequest(f"the body did not arrive within {ARRIVES_WITHIN:g} s", headers={"Connection": "close"}) from None
        call.receive = _Replay(call.body, call.receive).receive
    return call.body


async def _whole(receive: Receive) -> bytes:
    message = await receive()
    body: bytes = message.get("body", b"")
    if not message.get("more_body") and message["type"] == "http.request":
        return body
    chunks = [body]
    while message.get("more_body"):
        message = await receive()
        chunks.append(message.get("body", b""))
    if message["type"] != "http.request":
        raise BadRequest("the body broke off")
    return b"".join(chunks)


class _Replay:
    __slots__ = ("_body", "_given", "_receive")

    def __init__(self, body: bytes, receive: Receive) -> None:
        self._body, self._receive, self._given = body, receive, False

    async def receive(self) -> Message:
        if self._given:
            return await self._receive()
        self._given = True
        return {"type": "http.request", "body": self._body, "more_body": False}
