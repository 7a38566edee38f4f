"""What Stripe's error answers mean to us: which problem, which field, and whether a write may have happened.

https://docs.stripe.com/api/errors and https://docs.stripe.com/error-low-level
"""

import json
import re
from typing import Any

import httpx

from kernel.problem import Conflict, NotFound, OutcomeUnknown, PlatformBusy, PlatformDown, Problem, Refused

_PERSONAL = re.compile(r"[^\s@'\"]+@[^\s@'\"]+")
_KEYS = re.compile(r"\b(?:sk|rk|pk)_(?:test|live)_[A-Za-z0-9*]+")
_SECONDS = re.compile(r"[0-9]{1,6}")
LONGEST = 500  # characters of Stripe's text that we repeat


def problem(answer: httpx.Response, system: str, *, wrote: bool) -> Problem:
    """The problem an error answer tells of. `wrote`: the request could have changed something."""
    error = _error(answer)
    kind, code, detail = error.get("type"), error.get("code"), f"Stripe: {_text(error) or answer.status_code}"
    field = error.get("param") if isinstance(error.get("param"), str) else None
    match answer.status_code:
        case 401:
            fix = f"let credentials.secret_key of the connection {system!r} name a valid secret key"
            return PlatformDown(f"Stripe does not accept the secret key ({code or 'invalid'})", system=system, fix=fix)
        case 403:
            fix = "give the restricted key the permission it lacks (see the connector's README)"
            return PlatformDown(detail, system=system, fix=fix)
        case 409 | 429:
            # 409: the same idempotency key, or the object, is in use by a request still running: later it answers.
            return PlatformBusy(detail, system=system, retry_after=_retry_after(answer))
        case status if status >= 500 or status == 424:
            return OutcomeUnknown(detail, system=system) if wrote else PlatformDown(detail, system=system)
        case _ if kind == "idempotency_error":
            # The key was spent on other parameters: an earlier request may have made the object, so it must be looked up.
            return OutcomeUnknown(detail, system=system)
        case _ if answer.headers.get("stripe-should-retry") == "true":
            return PlatformBusy(detail, system=system, retry_after=_retry_after(answer))
        case 404:
            return NotFound(detail, system=system, field=field)
        case _ if code == "resource_missing" and not wrote:
            return NotFound(detail, system=system, field=field)
        case _ if code == "resource_already_exists":
            return Conflict(detail, system=system, field=field)
        case _:
            return Refused(detail, system=system, field=field)


def _error(answer: httpx.Response) -> dict[str, Any]:
    """The error object; empty where something between us and Stripe answered in another form."""
    try:
        body = json.loads(answer.content)
    except ValueError:
        return {}
    error = body.get("error") if isinstance(body, dict) else None
    return error if isinstance(error, dict) else {}


def _text(error: dict[str, Any]) -> str:
    """Stripe's own words without keys and mail addresses."""
    return _PERSONAL.sub("(address)", _KEYS.sub("(key)", str(error.get("message") or "")))[:LONGEST]


def _retry_after(answer: httpx.Response) -> int | None:
    """Seconds, if told: Stripe documents no Retry-After, but a proxy before it may send one."""
    told = answer.headers.get("retry-after", "")
    return int(told) if _SECONDS.fullmatch(told) else None
