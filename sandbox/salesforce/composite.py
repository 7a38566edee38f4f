"""Composite: up to 25 calls in one, later ones naming what earlier ones answered as `@{reference.field}`.

The whole answers 200 whatever its parts did; with allOrNone a failed part undoes all, and the others say PROCESSING_HALTED.
"""

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl, unquote

from sandbox.salesforce import errors
from sandbox.salesforce.call import Answer, Call, refused
from sandbox.salesforce.errors import ApiError

MOST_PARTS = 25
REFERENCE = re.compile(r"@\{([A-Za-z0-9_]+)((?:\.\w+|\[\d+\])*)\}", re.ASCII)
STEP = re.compile(r"\.(\w+)|\[(\d+)\]", re.ASCII)
ROLLED_BACK = "The transaction was rolled back since another operation in the same transaction failed."
ALLOWED = ("sobjects", "query", "queryAll", "composite", "limits")
METHODS = frozenset({"GET", "HEAD", "POST", "PATCH", "DELETE"})
Serve = Callable[[Call], Answer]


class _Unresolved(Exception):
    """A reference to something no earlier part answered."""


def composite(call: Call, serve: Serve) -> Answer:
    if call.method != "POST":
        raise errors.method_not_allowed(call.method, "POST")
    body = call.body()
    parts = _parts(body)
    all_or_none = body.get("allOrNone") is True
    answers: list[Answer] = []
    try:
        with call.org.store.transaction():
            _run(call, parts, serve, answers)
            if all_or_none and any(answer.status >= 300 for answer in answers):
                raise _Undone
    except _Undone:
        first = next(i for i, answer in enumerate(answers) if answer.status >= 300)
        answers = [answer if i == first else _halted(ROLLED_BACK) for i, answer in enumerate(answers)]
    shown = [_shown(part, answer) for part, answer in zip(parts, answers, strict=True)]
    return Answer(200, {"compositeResponse": shown})


class _Undone(Exception):
    """Undoes the transaction it leaves."""


def _parts(body: dict[str, Any]) -> list[dict[str, Any]]:
    parts = body.get("compositeRequest")
    if not isinstance(parts, list) or not parts or not all(isinstance(part, dict) for part in parts):
        raise errors.parse_error("compositeRequest: a list of subrequests is required")
    if len(parts) > MOST_PARTS:
        raise ApiError(400, "LIMIT_EXCEEDED", f"The composite request can contain at most {MOST_PARTS} subrequests")
    names = [part.get("referenceId") for part in parts]
    if not all(isinstance(name, str) and re.fullmatch(r"\w+", name, re.ASCII) for name in names) or len(set(names)) < len(names):
        raise errors.parse_error("referenceId: each subrequest needs one of its own, of letters, digits and underscores")
    for part in parts:
        if not isinstance(part.get("url"), str) or str(part.get("method")) not in METHODS:
            raise errors.parse_error("url and method: required in each subrequest")
        if not isinstance(part.get("httpHeaders", {}), dict):
            raise errors.parse_error("httpHeaders: an object is required")
    return parts


def _run(call: Call, parts: list[dict[str, Any]], serve: Serve, answers: list[Answer]) -> None:
    known: dict[str, Any] = {}
    for part in parts:
        try:
            answer = _one(call, _resolved(part, known), serve)
        except _Unresolved as problem:
            answer = _halted(str(problem))
        answers.append(answer)
        if answer.status < 300:
            known[part["referenceId"]] = answer.body


def _one(call: Call, part: dict[str, Any], serve: Serve) -> Answer:
    path, _, query = part["url"].partition("?")
    segments = tuple(unquote(s) for s in path.strip("/").split("/"))
    headers = {str(k).lower(): str(v) for k, v in part.get("httpHeaders", {}).items()}
    if segments[:2] != ("services", "data") or len(segments) < 4 or segments[3] not in ALLOWED or segments[3:] == ("composite",):
        return refused(errors.not_found(), call.base)
    inner = Call(
        call.org,
        part["method"],
        segments[2].removeprefix("v"),
        segments[3:],
        dict(parse_qsl(query, keep_blank_values=True)),
        headers,
        parsed=part.get("body", {}),
    )
    try:
        with call.org.store.transaction():
            return serve(inner)
    except ApiError as error:
        return refused(error, inner.base)


def _resolved(value: Any, known: dict[str, Any]) -> Any:
    """The same with every reference replaced; a text that is nothing but one takes the value's own type."""
    match value:
        case dict():
            return {key: _resolved(item, known) for key, item in value.items()}
        case list():
            return [_resolved(item, known) for item in value]
        case str() if (whole := REFERENCE.fullmatch(value)) is not None:
            return _found(whole, known)
        case str():
            return REFERENCE.sub(lambda match: str(_found(match, known)), value)
    return value


def _found(match: re.Match[str], known: dict[str, Any]) -> Any:
    value = known.get(match[1])
    for name, index in STEP.findall(match[2]):
        if name and isinstance(value, dict) and name in value:
            value = value[name]
        elif index and isinstance(value, list) and int(index) < len(value):
            value = value[int(index)]
        else:
            raise _Unresolved(f"Invalid reference specified. No value for {match[1]}{match[2]} found in {match[1]}")
    if value is None:
        raise _Unresolved(f"Invalid reference specified. No value for {match[1]}{match[2]} found in {match[1]}")
    return value


def _halted(message: str) -> Answer:
    return Answer(400, ApiError(400, "PROCESSING_HALTED", message).body())


def _shown(part: dict[str, Any], answer: Answer) -> dict[str, Any]:
    return {
        "body": answer.body,
        "httpHeaders": dict(answer.headers),
        "httpStatusCode": answer.status,
        "referenceId": part["referenceId"],
    }
