"""What went wrong, as RFC 9457; the only thing that chooses a status code.

Problem
├── BadRequest 400 · Unauthorized 401 · Forbidden 403 · NotFound 404 · MethodNotAllowed 405 · NotAcceptable 406
├── Conflict 409 ── InProgress · NeedsPerson (ambiguous) · PreconditionFailed 412 · TooLarge 413 · UnsupportedMediaType 415
├── TooSlow 408 · Gone 410 · TargetTooLong 414 · PreconditionRequired 428 · HeadTooLarge 431
├── Invalid 422 ── UnknownConnection · KeyReused · Unmapped · Refused
├── TooManyRequests 429
├── Internal 500
└── Unavailable 503 (retryable) ── PlatformBusy · PlatformDown · OutcomeUnknown (ambiguous)
                                ├── PlatformTimeout 504 (ambiguous)
                                └── BadPlatformAnswer 502 (ambiguous, not retryable) ── BrokenPromise

`retryable` is the only thing retry code looks at; `ambiguous` says that a write may have taken effect.
A problem names the `field` at fault, the `system` that said so, and the `fix`. Vendor text stays in `detail`, the vendor's
name first; secrets and personal data never enter one.
"""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Self

MEDIA_TYPE = "application/problem+json"


def instance(request_id: str) -> str:
    """What a problem document calls the one request it is about."""
    return f"urn:trivium:request:{request_id}"


class Problem(Exception):
    """Any refusal or failure that a caller is told about."""

    status: ClassVar[int] = 500
    slug: ClassVar[str] = "internal"
    title: ClassVar[str] = "Something went wrong on our side"
    type_uri: ClassVar[str | None] = None
    retryable: ClassVar[bool] = False
    ambiguous: ClassVar[bool] = False
    known: ClassVar[dict[str, type["Problem"]]] = {}

    def __init_subclass__(cls) -> None:
        Problem.known[cls.slug] = cls

    def __init__(
        self,
        detail: str,
        *,
        field: str | None = None,
        system: str | None = None,
        fix: str | None = None,
        errors: Sequence[Mapping[str, str]] = (),
        retry_after: int | None = None,
        headers: Mapping[str, str] | None = None,
        **more: Any,
    ) -> None:
        super().__init__(detail)
        self.detail, self.field, self.system, self.fix = detail, field, system, fix
        self.errors, self.retry_after, self.more = tuple(errors), retry_after, more
        self.headers: dict[str, str] = dict(headers or {})

    @property
    def type(self) -> str:
        return self.type_uri or f"urn:trivium:problem:{self.slug}"

    def response_headers(self) -> dict[str, str]:
        return self.headers if self.retry_after is None else {**self.headers, "Retry-After": str(self.retry_after)}

    def body(self) -> dict[str, Any]:
        """The members of the problem document, absent ones left out."""
        members = {"field": self.field, "system": self.system, "fix": self.fix, "errors": list(self.errors), **self.more}
        shown = {name: value for name, value in members.items() if value not in (None, [], ())}
        return {"type": self.type, "title": self.title, "status": self.status, "detail": self.detail, **shown}

    @classmethod
    def from_body(cls, body: Mapping[str, Any], retry_after: int | None = None) -> "Problem":
        """The problem a body tells of, in its own class again; one of a type we do not know becomes Internal."""
        slug = str(body.get("type", "")).rpartition(":")[2]
        by_type = {kind.type_uri: kind for kind in cls.known.values() if kind.type_uri}
        kind = by_type.get(str(body.get("type"))) or cls.known.get(slug, Internal)
        rest = {k: v for k, v in body.items() if k not in ("type", "title", "status", "detail", "correlation_id", "instance")}
        return kind(str(body.get("detail", kind.title)), retry_after=retry_after, **rest)

    def __reduce__(self) -> Any:
        return Problem.from_body, (self.body(), self.retry_after)


class BadRequest(Problem):
    status, slug, title = 400, "bad-request", "The request cannot be read"


class Unauthorized(Problem):
    status, slug, title = 401, "unauthorized", "Say who you are"


class Forbidden(Problem):
    status, slug, title = 403, "forbidden", "You may not do this"

    @classmethod
    def insufficient_scope(cls, missing: Sequence[str]) -> Self:
        """RFC 6750 section 3.1."""
        scopes = " ".join(missing)
        return cls(
            f"the token lacks {scopes}",
            fix=f"ask for a token with the scope {scopes}",
            missing_scopes=list(missing),
            headers={"WWW-Authenticate": f'Bearer error="insufficient_scope", scope="{scopes}"'},
        )


class NotFound(Problem):
    status, slug, title = 404, "not-found", "There is no such thing"


class MethodNotAllowed(Problem):
    status, slug, title = 405, "method-not-allowed", "This cannot be done here"


class NotAcceptable(Problem):
    status, slug, title = 406, "not-acceptable", "We cannot answer in that form"


class Conflict(Problem):
    status, slug, title = 409, "conflict", "This contradicts what is already there"


class InProgress(Conflict):
    slug, title = "in-progress", "The same request is still being worked on"


class NeedsPerson(Conflict):
    """A write is in doubt and nothing can tell what became of it: a person looks at the platform and declares it."""

    slug, title, ambiguous = "needs-person", "A person must find out what became of a write", True


class TooSlow(Problem):
    status, slug, title = 408, "too-slow", "The request took too long to arrive"


class Gone(Problem):
    """A version that was retired; its successor, where there is one, is named."""

    status, slug, title = 410, "gone", "This version was retired"


class PreconditionFailed(Problem):
    status, slug, title = 412, "precondition-failed", "It has changed since you looked"


class PreconditionRequired(Problem):
    """RFC 6585 section 3."""

    status, slug, title = 428, "precondition-required", "Say what you believe is there"


class TooLarge(Problem):
    status, slug, title = 413, "too-large", "The request is too large"


class TargetTooLong(Problem):
    status, slug, title = 414, "target-too-long", "The path and query are too long"


class UnsupportedMediaType(Problem):
    status, slug, title = 415, "unsupported-media-type", "We cannot read that form"


class Invalid(Problem):
    status, slug, title = 422, "invalid", "The request breaks its contract"


class UnknownConnection(Invalid):
    slug, title = "unknown-connection", "No such connection is configured"


class KeyReused(Invalid):
    slug, title = "key-reused", "This Idempotency-Key was used for another request"


class Unmapped(Invalid):
    slug, title = "unmapped", "A mapping is missing"


class Refused(Invalid):
    """A platform, or a rule of the business, said no; repeating it would not help."""

    slug, title = "refused", "The request was refused"


class TooManyRequests(Problem):
    status, slug, title = 429, "quota-exceeded", "Your quota is used up for now"
    type_uri = "https://iana.org/assignments/http-problem-types#quota-exceeded"


class HeadTooLarge(Problem):
    status, slug, title = 431, "head-too-large", "The headers are too large"


class Internal(Problem):
    status, slug, title = 500, "internal", "Something went wrong on our side"


class Unavailable(Problem):
    status, slug, title, retryable = 503, "unavailable", "Not possible at the moment", True


class Shedding(Unavailable):
    slug, title = "temporary-reduced-capacity", "We take fewer requests for the moment"
    type_uri = "https://iana.org/assignments/http-problem-types#temporary-reduced-capacity"


class PlatformBusy(Unavailable):
    """A platform's limit, or a lock that others hold: nothing was done."""

    slug, title = "platform-busy", "A connected platform is busy"


class PlatformDown(Unavailable):
    """The platform was not reached, or our breaker is open: nothing was done."""

    slug, title = "platform-down", "A connected platform is not reachable"


class OutcomeUnknown(Unavailable):
    """The platform failed in the middle: a write may or may not have taken effect."""

    slug, title, ambiguous = "outcome-unknown", "A connected platform failed half-way", True


class PlatformTimeout(OutcomeUnknown):
    """No answer within the deadline: a write may or may not have taken effect."""

    status, slug, title = 504, "platform-timeout", "A connected platform did not answer in time"


class BadPlatformAnswer(OutcomeUnknown):
    """The platform answered something its own contract does not allow: nothing may be concluded from it."""

    status, slug, title, retryable = 502, "bad-platform-answer", "A connected platform answered unintelligibly", False


class BrokenPromise(BadPlatformAnswer):
    """What was answered is not what the contract promises, so it is kept back; a write may have taken effect."""

    slug, title = "broken-promise", "The answer breaks its contract"
