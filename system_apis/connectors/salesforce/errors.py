"""What Salesforce's error answers mean to us: which problem, which field, what to do, and whether a write may have happened.

https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/errorcodes.htm
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx

from kernel.problem import BadPlatformAnswer, Conflict, NotFound, OutcomeUnknown, PlatformBusy, PlatformDown, Problem, Refused

_LATER = frozenset(
    {
        "REQUEST_LIMIT_EXCEEDED", "UNABLE_TO_LOCK_ROW", "QUERY_TIMEOUT", "FUNCTIONALITY_TEMPORARILY_UNAVAILABLE",
        "INSERT_UPDATE_DELETE_NOT_ALLOWED_DURING_MAINTENANCE", "ORG_IN_MAINTENANCE",
    }
)  # fmt: skip
_ABSENT = frozenset({"NOT_FOUND", "ENTITY_IS_DELETED", "MALFORMED_ID", "INVALID_CROSS_REFERENCE_KEY"})
_NOT_ALLOWED = frozenset({"INSUFFICIENT_ACCESS", "INSUFFICIENT_ACCESS_OR_READONLY", "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY"})
_PERSONAL = re.compile(r"[^\s@'\":]+@[^\s@'\"]+")
_SESSIONS = re.compile(r"00D[A-Za-z0-9]{12,15}![A-Za-z0-9._-]+")
_QUERY_ECHO = re.compile(r"^.*ERROR at Row:[0-9]+:Column:[0-9]+", re.DOTALL)
_COLUMN = re.compile(r"No such column '(?:[A-Za-z0-9_]+\.)*([A-Za-z0-9_]+)'(?: on (?:entity|sobject of type) '?([A-Za-z0-9_]+))?")
_SECONDS = re.compile(r"[0-9]{1,6}")
LONGEST = 500  # characters of Salesforce's text that we repeat


@dataclass(frozen=True)
class Refusal:
    """The first error of an answer, or of one part of a composite answer."""

    status: int
    code: str = ""
    text: str = ""
    fields: tuple[str, ...] = ()
    retry_after: int | None = None

    @property
    def detail(self) -> str:
        return f"Salesforce: {self.text or self.code or self.status}"

    @property
    def is_expiry(self) -> bool:
        """Whether a new session would help. Sessions that are of no use for the REST API at all are refused in the same code."""
        return self.code == "INVALID_SESSION_ID" and "not valid for use" not in self.text


def refusal(status: int, body: Any, retry_after: int | None = None) -> Refusal:
    """Reads [{message, errorCode, fields}]; empty where something between us and Salesforce answered in another form."""
    first = body[0] if isinstance(body, list) and body else None
    if not isinstance(first, dict):
        return Refusal(status, retry_after=retry_after)
    fields = first.get("fields")
    named = tuple(str(one) for one in fields) if isinstance(fields, list) else ()
    return Refusal(status, str(first.get("errorCode") or ""), _words(first.get("message")), named, retry_after)


def refusal_of(answer: httpx.Response) -> Refusal:
    """No Retry-After is documented, but an edge before the org may send one."""
    told = answer.headers.get("retry-after", "")
    try:
        body = json.loads(answer.content)
    except ValueError:
        body = None
    return refusal(answer.status_code, body, int(told) if _SECONDS.fullmatch(told) else None)


def problem(refused: Refusal, system: str, *, wrote: bool, named: Mapping[str, str]) -> Problem:
    """`wrote`: the request could have changed something; `named`: the option that names each field of the org."""
    detail = refused.detail
    if refused.code in _LATER or refused.status == 429:
        return PlatformBusy(detail, system=system, retry_after=refused.retry_after)
    match refused.status:
        case 401:
            return PlatformDown(detail, system=system, fix="let the integration user use the API (see the connector's README)")
        case 403 if refused.code not in _NOT_ALLOWED:
            fix = "give the integration user the permission it lacks (see the connector's README)"
            return PlatformDown(detail, system=system, fix=fix)
        case 410:
            fix = f"set options.api_version of the connection {system!r} to a version that is not retired, such as 66.0"
            return PlatformDown(detail, system=system, fix=fix)
        case status if status >= 500:
            return OutcomeUnknown(detail, system=system) if wrote else PlatformDown(detail, system=system)
        case status if status < 400:
            return BadPlatformAnswer(f"Salesforce: an answer of {status} to a simple call", system=system)
    if refused.status == 404 or refused.code in _ABSENT:
        return NotFound(detail, system=system)
    if refused.status in (409, 412) or refused.code == "DUPLICATE_VALUE":
        return Conflict(detail, system=system, field=_first(refused))
    return _standing(refused, system, named)


def _standing(refused: Refusal, system: str, named: Mapping[str, str]) -> Refused:
    """A refusal that stays until a person changes something: what that is."""
    field, fix = _first(refused), None
    match refused.code:
        case "INVALID_FIELD" if (column := _COLUMN.search(refused.text)) is not None:
            field, fix = column[1], _missing_field(column[1], column[2], system, named)
        case "INVALID_FIELD_FOR_INSERT_UPDATE":
            fix = f"let the integration user edit {', '.join(refused.fields) or 'the field'} (field-level security)"
        case "INVALID_TYPE":
            fix = "enable Quotes in Setup, and let the integration user read the object"
        case "ENTITY_IS_LOCKED":
            fix = "an approval process locks the record: give the integration user Modify All on the object, or unlock it"
        case code if code in _NOT_ALLOWED:
            fix = "let the integration user edit the record (object permissions and sharing)"
    return Refused(refused.detail, system=system, field=field, fix=fix)


def _missing_field(field: str, sobject: str | None, system: str, named: Mapping[str, str]) -> str:
    place = f"{sobject}.{field}" if sobject else field
    option = named.get(field)
    if option is None:
        return f"let the integration user see {place} (field-level security)"
    if option == "default_currency":
        return f"the org has a single currency: say which in options.default_currency of the connection {system!r}"
    made = f"create the custom field {place} and let the integration user see it"
    return f"{made}, or set options.{option} of the connection {system!r} to the field that this org has instead"


def _first(refused: Refusal) -> str | None:
    return next(iter(refused.fields), None)


def _words(message: Any) -> str:
    """Salesforce's own words in one line, without the query it repeats, without sessions and mail addresses."""
    text = _QUERY_ECHO.sub("", str(message or ""))
    return _PERSONAL.sub("(address)", _SESSIONS.sub("(session)", " ".join(text.split())))[:LONGEST]
