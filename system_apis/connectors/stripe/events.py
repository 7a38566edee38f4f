"""Stripe's webhooks: a delivery is genuine or refused, then read into one envelope. Pure functions; no clock, no I/O.

https://docs.stripe.com/webhooks#verify-manually
"""

import hashlib
import hmac
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from kernel.problem import BadRequest, Unauthorized

TOLERANCE = timedelta(seconds=300)
LONGEST_HEADER = 4096
_TIME = re.compile(r"[0-9]{1,11}")
_DIGEST = re.compile(r"[0-9a-f]{64}")
_THIN = "v2.core.event"


@dataclass(frozen=True)
class Envelope:
    """One event of Stripe's, to be handled once per `id`: deliveries repeat and change order.

    A snapshot event carries the `object` as it was and, on updates, the `previous` values of what changed; a thin event
    carries neither, only what to ask for: `object_kind` and `object_id`.
    """

    id: str
    type: str
    occurred_at: datetime
    live: bool
    thin: bool
    object_kind: str | None
    object_id: str | None
    object: Mapping[str, Any] | None
    previous: Mapping[str, Any]
    idempotency_key: str | None


def verify(header: str, body: bytes, secrets: Sequence[str], now: datetime, tolerance: timedelta = TOLERANCE) -> None:
    """Raises Unauthorized unless one of the secrets signed exactly this body, within the tolerance of `now` either way.

    Only `v1` counts. While a secret is being rolled Stripe sends a `v1` for each, and we may hold both secrets.
    """
    at, signatures = _signatures(header)
    if abs(now - datetime.fromtimestamp(at, UTC)) > tolerance:
        raise Unauthorized("Stripe-Signature: its time is too far from ours", fix="check this machine's clock, or send it again")
    signed = b"%d." % at + body
    expected = [hmac.new(one.encode(), signed, hashlib.sha256).hexdigest() for one in secrets]
    # Every pair is compared, so the time taken says nothing about which of them came close.
    if not sum(hmac.compare_digest(mine, theirs) for mine in expected for theirs in signatures):
        raise Unauthorized("Stripe-Signature: no v1 signature fits", fix="use the signing secret of this very endpoint")


def _signatures(header: str) -> tuple[int, list[str]]:
    """The time, in Unix seconds, and the v1 signatures; parts of other schemes are passed over."""
    parts = [part.strip().partition("=") for part in header.split(",")] if len(header) <= LONGEST_HEADER else []
    times = [value for name, _, value in parts if name == "t"]
    signatures = [value for name, _, value in parts if name == "v1" and _DIGEST.fullmatch(value)]
    if len(times) != 1 or not _TIME.fullmatch(times[0]):
        raise Unauthorized("Stripe-Signature: it must name one time")
    return int(times[0]), signatures


def envelope(body: bytes) -> Envelope:
    """The event in a verified body; raises BadRequest for anything else."""
    try:
        wire = json.loads(body, parse_float=Decimal)
    except (ValueError, RecursionError):
        raise BadRequest("Stripe: the event is not JSON") from None
    if not isinstance(wire, dict) or wire.get("object") not in ("event", _THIN):
        raise BadRequest("Stripe: this is no event")
    return _thin(wire) if wire["object"] == _THIN else _snapshot(wire)


def _snapshot(wire: Mapping[str, Any]) -> Envelope:
    data = _object(wire, "data")
    subject = _object(data, "object")
    request = wire.get("request") if isinstance(wire.get("request"), dict) else {}
    return Envelope(
        id=_text(wire, "id"),
        type=_text(wire, "type"),
        occurred_at=_unix(wire),
        live=_flag(wire),
        thin=False,
        object_kind=_text(subject, "object"),
        object_id=_optional_text(subject, "id"),
        object=subject,
        previous=_object(data, "previous_attributes") if "previous_attributes" in data else {},
        idempotency_key=_optional_text(request or {}, "idempotency_key"),
    )


def _thin(wire: Mapping[str, Any]) -> Envelope:
    related = _object(wire, "related_object") if wire.get("related_object") is not None else None
    reason = wire.get("reason")
    request = reason.get("request") if isinstance(reason, dict) else None
    return Envelope(
        id=_text(wire, "id"),
        type=_text(wire, "type"),
        occurred_at=_iso(wire),
        live=_flag(wire),
        thin=True,
        object_kind=None if related is None else _text(related, "type"),
        object_id=None if related is None else _text(related, "id"),
        object=None,
        previous={},
        idempotency_key=_optional_text(request, "idempotency_key") if isinstance(request, dict) else None,
    )


def _text(wire: Mapping[str, Any], name: str) -> str:
    found = _optional_text(wire, name)
    if not found:
        raise _odd(name)
    return found


def _optional_text(wire: Mapping[str, Any], name: str) -> str | None:
    found = wire.get(name)
    if found is not None and not isinstance(found, str):
        raise _odd(name)
    return found


def _object(wire: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = wire.get(name)
    if not isinstance(found, dict):
        raise _odd(name)
    return found


def _flag(wire: Mapping[str, Any]) -> bool:
    found = wire.get("livemode")
    if not isinstance(found, bool):
        raise _odd("livemode")
    return found


def _unix(wire: Mapping[str, Any]) -> datetime:
    found = wire.get("created")
    if not isinstance(found, int) or isinstance(found, bool) or not 0 <= found < 10**11:
        raise _odd("created")
    return datetime.fromtimestamp(found, UTC)


def _iso(wire: Mapping[str, Any]) -> datetime:
    try:
        found = datetime.fromisoformat(_text(wire, "created"))
    except ValueError:
        raise _odd("created") from None
    if found.tzinfo is None:
        raise _odd("created")
    return found.astimezone(UTC)


def _odd(name: str) -> BadRequest:
    return BadRequest(f"Stripe: the event's {name} is missing or not of its documented form", field=name)
