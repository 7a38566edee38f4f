"""Replay: the same call under the same Idempotency-Key gets the answer that the first one got, and does nothing.

After the IETF draft "The Idempotency-Key HTTP Header Field". Kept is what tells of something done: 2xx and 303. A refusal (any
other 3xx and 4xx) did nothing, so the key is free again and a repetition is decided anew: a quote that is put right can be
submitted under its key. Nor are 401, 403, 429 and 503 kept, which speak of a moment. After any other 5xx, a timeout or a crash
nobody knows what was done; the same request is then asked of the upstream again where that knows the key as well
(`x-trivium-replay: {upstream_dedupes: true}`), and refused for a person to look into where it does not. A 202 tells how far the
work has come: an upstream that knows the key is asked again until the work has ended, another one's 202 is kept.
"""

from collections.abc import Awaitable
from dataclasses import dataclass, fields

import structlog

from gateway import bodies
from gateway.captured import Captured
from gateway.contracts import BadContract
from gateway.pipeline import Call, Factory, Forward, Operation, Policy
from gateway.policies.idempotency_key import HEADER
from gateway.replays.fingerprint import fingerprint, identity
from gateway.replays.kept import Kept
from gateway.replays.store import Claim, Replays
from kernel.problem import Forbidden, Internal, Problem

EXTENSION = "x-trivium-replay"
REPLAYED = (b"idempotency-replayed", b"true")
NOT_KEPT = (b"idempotency-replayable", b"false")  # this answer cannot be had again
_OF_THE_MOMENT = frozenset({b"date", b"connection", b"keep-alive", b"transfer-encoding"})
_NOTHING_DONE = frozenset({429, 503})


@dataclass(frozen=True)
class Terms:
    """`upstream_dedupes`: the upstream does nothing twice under one key. `keep_answer`: False for answers that hold a secret."""

    upstream_dedupes: bool = False
    keep_answer: bool = True

    @classmethod
    def of(cls, operation: Operation) -> "Terms":
        said = operation.extensions.get(EXTENSION, {})
        known = [field.name for field in fields(cls)]
        if not isinstance(said, dict) or any(name not in known or not isinstance(value, bool) for name, value in said.items()):
            place = f"{operation.method} {operation.path}"
            raise BadContract(f"{place}: {EXTENSION} has {' and '.join(known)}, each true or false, and nothing else")
        return cls(**said)


def replay(replays: Replays | None) -> Factory:
    def build(operation: Operation) -> Policy | None:
        if operation.idempotency != "required":
            return None
        terms = Terms.of(operation)
        if replays is None or operation.public:  # keys of callers without a name would be everybody's
            return None
        return _policy(replays, operation, terms)

    return build


def _policy(replays: Replays, operation: Operation, terms: Terms) -> Policy:
    largest = replays.largest if terms.keep_answer else 0

    async def policy(call: Call, forward: Forward) -> None:
        id = identity(call.caller, operation.id, call.headers[HEADER])
        asked = fingerprint(call, await bodies.read(call))
        found = await replays.claim(id, asked, again=terms.upstream_dedupes)
        if isinstance(found, Kept):
            await _again(call, found)
            return
        answer = Captured(call.send, largest, patient=terms.keep_answer)
        call.response_headers.append(NOT_KEPT)  # for an answer that goes past us
        try:
            await answer.of(call, forward)
        except Exception as error:
            call.response_headers.remove(NOT_KEPT)
            await _settled(_failed(replays, found, error), operation)
            raise
        except BaseException:  # called off, as by the end of the process
            replays.abandon(found)
            raise
        if not answer.passed:
            call.response_headers.remove(NOT_KEPT)
        await _settled(_ended(replays, found, answer, _keeping(call, answer, terms)), operation)
        await answer.send()

    return policy


async def _again(call: Call, kept: Kept) -> None:
    """To a token that may do no less than the one it was given to: what the answer shows may depend on that."""
    missing = kept.scopes - call.caller.scopes
    if missing:
        raise Forbidden.insufficient_scope(sorted(missing))
    call.note("replayed", True)
    await call.send({"type": "http.response.start", "status": kept.status, "headers": [*kept.headers, REPLAYED]})
    await call.send({"type": "http.response.body", "body": kept.body})


def _keeping(call: Call, answer: Captured, terms: Terms) -> Kept | None:
    """What is to be kept of an answer; None: it is not whole, tells of nothing done, or will be another one later."""
    later = answer.status == 202 and terms.upstream_dedupes
    if answer.body is None or not terms.keep_answer or not _done(answer.status) or later:
        return None
    headers = tuple((bytes(name), bytes(value)) for name, value in answer.headers if name not in _OF_THE_MOMENT)
    return Kept(answer.status, headers, answer.body, call.caller.scopes)


def _done(status: int) -> bool:
    return 200 <= status < 300 or status == 303


def _ended(replays: Replays, claim: Claim, answer: Captured, kept: Kept | None) -> Awaitable[None]:
    whole = answer.passed or answer.body is not None
    if kept is not None or (whole and _done(answer.status)):
        return replays.settle(claim, done=True, kept=kept)
    if whole and (answer.status < 500 or answer.status in _NOTHING_DONE):
        return replays.release(claim)
    return replays.settle(claim, done=False)


def _failed(replays: Replays, claim: Claim, error: Exception) -> Awaitable[None]:
    nothing_done = isinstance(error, Problem) and not error.ambiguous and not isinstance(error, Internal)
    return replays.release(claim) if nothing_done else replays.settle(claim, done=False)


async def _settled(settling: Awaitable[None], operation: Operation) -> None:
    """An answer is given even where it cannot be kept: then the lease ends, and a repetition meets what a crash would leave."""
    try:
        await settling
    except Exception as error:
        log = structlog.get_logger("gateway")
        log.warning("what became of a call under a key is not kept", operation=operation.id, error=type(error).__name__)
