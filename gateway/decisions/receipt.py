"""A trail as it is written down, and read again as a receipt: no header, no query value and no body among it.

The path is kept as it was asked for, as the access log keeps it: a new configuration can only be tried on a call whose path is
known. Of the query only the names are kept.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from itertools import takewhile
from typing import Any
from urllib.parse import parse_qsl

from contracts.models.receipt import Behind, LimitState, Receipt, TokenFacts
from gateway.decisions.trail import Trail
from gateway.pipeline import ANONYMOUS, Caller, Operation
from kernel.telemetry import redacted

LONGEST_PATH, MOST_NAMES, LONGEST_FACTS = 1024, 50, 4096
_LIMIT = re.compile(r'"([^"]{1,100})"((?:;[a-z]+=[^,;]*)*)')
_PARAMETER = re.compile(r";([a-z]+)=([0-9]+)")

Json = dict[str, Any]


def told(trail: Trail) -> Json:
    """Everything of a call that is not the same for each call of its operation."""
    record, refusal, ours = trail.record, trail.refusal, dict(trail.ours)
    return {
        "method": record.method[:64],
        "path": str(redacted(record.path[:LONGEST_PATH])),
        "query": _names(trail.query),
        "media": _text(trail.media),
        "length": _number(trail.length),
        "keyed": trail.keyed,
        "seconds": round(record.seconds, 6),
        "dispatched": round(trail.dispatched, 6) if trail.dispatched >= 0 else None,
        "correlation_id": record.correlation_id,
        "trace_id": record.traceparent[3:35],
        "caller": None if trail.caller.client == ANONYMOUS else _caller(trail.caller, trail.at),
        "refusal": None if refusal is None else [refusal.by, refusal.type],
        "limits": [_text(ours.get(b"ratelimit-policy")), _text(ours.get(b"ratelimit"))],
        "answer": [_text(trail.theirs.get(b"content-type")), _number(trail.theirs.get(b"content-length"))],
        "facts": _facts(trail.facts),
    }


def rules(operation: Operation, chain: tuple[str, ...], contract: str) -> Json:
    """Everything that is. `contract`: the digest of the document that promises the operation."""
    return {
        "api": operation.api, "version": operation.version, "contract": contract, "policies": list(chain[:-1]),
        "behind": chain[-1],
    }  # fmt: skip


def contract_digest(operation: Operation) -> str:
    """SHA-256 of the contract as canonical JSON; "" for what no contract promises."""
    if operation.document is None:
        return ""
    canonical = json.dumps(operation.document.root, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(canonical.encode()).hexdigest()


def receipt(row: Mapping[str, Any], said: Json, ruled: Json) -> Receipt:
    """The row and the two documents beside it, put together for whoever asks."""
    refusal = said["refusal"]
    dispatched = said["dispatched"]
    chain = ruled["policies"]
    return Receipt(
        request_id=row["request_id"], at=datetime.fromtimestamp(row["at"] / 1000, UTC), method=said["method"],
        path=said["path"], status=row["status"], operation=row["operation"], api=ruled["api"], version=ruled["version"],
        contract_digest=ruled["contract"], configuration=row["configuration"], ran=_ran(chain, refusal),
        decided_by=_decided(row["status"], said, ruled), problem=refusal and refusal[1], seconds=said["seconds"],
        behind=None if dispatched is None else Behind(api=ruled["api"], by=_behind(ruled["behind"]), seconds=dispatched),
        token=said["caller"] and TokenFacts(**said["caller"]), limits=_limits(*said["limits"], charged=refusal is None),
        facts=said["facts"], correlation_id=said["correlation_id"], trace_id=said["trace_id"],
    )  # fmt: skip


def _ran(chain: list[str], refusal: list[str] | None) -> list[str]:
    if refusal is None or refusal[0] not in chain:
        return chain
    return [*takewhile(lambda name: name != refusal[0], chain), refusal[0]]


def _decided(status: int, said: Json, ruled: Json) -> str:
    if said["refusal"] is not None:
        return str(said["refusal"][0])
    if status == 0:
        return "caller"  # who left before there was an answer
    if said["dispatched"] is not None or ruled["api"] == "door":  # what the door serves itself is an application too
        return "application"
    facts = said["facts"]
    return "replay" if "replayed" in facts else "cache" if "cache" in facts else "door"


def _behind(module: str) -> Any:
    return "application" if module in ("direct", "dispatch") else "upstream"


def _caller(caller: Caller, at: float) -> Json:
    return {
        "client": caller.client[:255], "subject": caller.subject[:255], "scopes": sorted(caller.scopes)[:1000],
        "plan": caller.plan[:255], "partner": caller.partner[:255] or None, "issuer": caller.issuer[:1000] or None,
        "key_id": caller.key_id or None, "age": round(max(at - caller.issued_at, 0.0), 3) if caller.issued_at else None,
    }  # fmt: skip


def _limits(granted: str | None, left: str | None, *, charged: bool) -> list[LimitState]:
    """As the RateLimit fields told them (draft-ietf-httpapi-ratelimit-headers-10)."""
    states = {name: dict(_PARAMETER.findall(rest)) for name, rest in _LIMIT.findall(left or "")}
    found = []
    for name, rest in _LIMIT.findall(granted or ""):
        policy, state = dict(_PARAMETER.findall(rest)), states.get(name, {})
        after = int(state["r"]) if "r" in state else None
        found.append(
            LimitState(
                policy=name, quota=int(policy.get("q", 0)), window=int(policy["w"]) if "w" in policy else None, after=after,
                before=None if after is None else after + charged, reset=int(state["t"]) if "t" in state else None,
            )
        )  # fmt: skip
    return found


def _facts(facts: Mapping[str, Any] | None) -> Json:
    """What policies noted, without what looks like a credential; too much of it is left out and said to be."""
    if not facts:
        return {}
    written = json.dumps(redacted(dict(facts)), default=str)
    return dict(json.loads(written)) if len(written) <= LONGEST_FACTS else {"left_out": sorted(facts)[:MOST_NAMES]}


def _names(query: bytes) -> list[str]:
    try:
        pairs = parse_qsl(query.decode("latin-1"), keep_blank_values=True, max_num_fields=1000)
    except ValueError:
        return []
    return [name[:100] for name in dict(pairs)][:MOST_NAMES]


def _text(value: bytes | None) -> str | None:
    return None if value is None else value.decode("latin-1")[:500]


def _number(value: bytes | None) -> int | None:
    return int(value) if value is not None and value.isdigit() and len(value) < 19 else None
