"""What NetSuite's error answers mean to us: which problem, which of our fields, and whether a write may have happened.

https://docs.oracle.com/en/cloud/saas/netsuite/ns-online-help/section_156570709583.html
"""

import re
from collections.abc import Mapping
from typing import Any

import httpx

from kernel.problem import NotFound, OutcomeUnknown, PlatformBusy, PlatformDown, Problem, Refused
from system_apis.connectors.netsuite.body import decoded

LONGEST = 500  # characters of NetSuite's text that we repeat
NO_RECORD = "NONEXISTENT_ID"
_LIMITS = frozenset({"CONCURRENCY_LIMIT_EXCEEDED", "SSS_REQUEST_LIMIT_EXCEEDED", "EXCEEDED_CONCURRENCY_LIMIT"})
_LOCKED = re.compile(r"RCRD_HAS_BEEN_CHANGED|RECORD_LOCKED|record has been changed", re.I)
_CLOSED = re.compile(r"\b(?:closed|locked)\b.*\bperiod\b|\bperiod\b.*\b(?:closed|locked)\b", re.I | re.S)
_LEAD = re.compile(r"^Error while accessing (?:a )?resource[.:] *")
_PERSONAL = re.compile(r"[^\s@'\"]+@[^\s@'\"]+")
_SECONDS = re.compile(r"[0-9]{1,6}")
_LINE = re.compile(r"item\.items\[([0-9]+)\](?:\.(\w+))?")
_FIELDS: Mapping[str, str] = {
    "entity": "customer",
    "subsidiary": "legal_entity",
    "tranDate": "ordered_on",
    "otherRefNum": "customer_reference",
    "item": "lines",
    "companyName": "legal_name",
    "defaultTaxReg": "tax_id",
    "externalId": "key",
    "terms": "terms.payment_days",
    "creditLimit": "terms.credit_limit",
    "addressBook": "address",
}
_LINE_FIELDS: Mapping[str, str] = {
    "taxCode": "tax_code",
    "department": "dimensions.department",
    "class": "dimensions.class",
    "location": "dimensions.location",
}


def problem(answer: httpx.Response, system: str, *, wrote: bool) -> Problem:
    """The problem an error answer tells of. `wrote`: the request could have changed something."""
    told = _told(answer)
    code, words = str(told.get("o:errorCode") or ""), _words(told)
    detail = f"NetSuite: {words or answer.status_code}"
    match answer.status_code:
        case 401 | 403:
            return _shut_out(answer.status_code, detail, system)
        case status if status == 429 or code in _LIMITS:
            return PlatformBusy(detail, system=system, retry_after=_retry_after(answer))
        case status if status >= 500 or status == 408:
            return OutcomeUnknown(detail, system=system) if wrote else PlatformDown(detail, system=system)
        case 404 if code == NO_RECORD:
            return NotFound(detail, system=system)
        case 404:
            # No record is missing but the place itself: to take that for "there is none" would make everything twice.
            fix = "let base_url name the account's SuiteTalk host alone, and switch on the feature that the record belongs to"
            return PlatformDown(detail, system=system, fix=fix)
        case _ if _LOCKED.search(f"{code} {words}"):
            return PlatformBusy(detail, system=system)
        case _ if _CLOSED.search(words):
            fix = "open the accounting period in NetSuite, or order on a day of an open one"
            return Refused(detail, system=system, field="ordered_on", fix=fix)
    return Refused(detail, system=system, field=field(told.get("o:errorPath")))


def field(path: Any) -> str | None:
    """Our name for the place that NetSuite's o:errorPath names; NetSuite's own where we have none, None without a place."""
    if not isinstance(path, str) or not path:
        return None
    line = _LINE.fullmatch(path)
    if line is None:
        first = path.partition(".")[0].partition("[")[0]
        return _FIELDS.get(path) or _FIELDS.get(first, path[:LONGEST])
    number, member = line.groups()
    return f"lines[{number}].{_LINE_FIELDS.get(member, member)}" if member else f"lines[{number}]"


def _shut_out(status: int, detail: str, system: str) -> PlatformDown:
    if status == 401:
        fix = f"let the integration of the connection {system!r} be enabled and its certificate be valid in NetSuite"
        return PlatformDown("NetSuite does not accept its own token", system=system, fix=fix)
    return PlatformDown(detail, system=system, fix="give the integration's role the permission it lacks (see the README)")


def _told(answer: httpx.Response) -> dict[str, Any]:
    """The first of the error's details; empty where something between us and NetSuite answered in another form."""
    details = (decoded(answer.content) or {}).get("o:errorDetails")
    first = details[0] if isinstance(details, list) and details else None
    return first if isinstance(first, dict) else {}


def _words(told: dict[str, Any]) -> str:
    """NetSuite's own words without mail addresses and without what they all begin with."""
    return _PERSONAL.sub("(address)", _LEAD.sub("", str(told.get("detail") or "")))[:LONGEST]


def _retry_after(answer: httpx.Response) -> int | None:
    """Seconds, if told: NetSuite documents no Retry-After, but a proxy before it may send one."""
    told = answer.headers.get("retry-after", "")
    return int(told) if _SECONDS.fullmatch(told) else None
