"""What can go wrong with a call, as exceptions: a problem that was answered (RFC 9457), or no answer that could be used."""

from collections.abc import Mapping
from typing import Any, ClassVar

import httpx

from .waiting import retry_after


class ClientError(Exception):
    """A call did not succeed."""


class Unreachable(ClientError):
    """No answer came. What was asked for may have been done, unless it only reads: ask again under the same key."""


class BadAnswer(ClientError):
    """The answer is not what the contract promises."""


class TokenRefused(ClientError):
    """The token endpoint gives no token to this client."""


class Problem(ClientError):
    """A refusal or failure that the API tells of; the class says the status, `kind` the rest.

    `fix`: what to change. `retry_after`: seconds. `correlation_id`: name it when you ask about the call.
    """

    classes: ClassVar[dict[int, type["Problem"]]] = {}
    answers: ClassVar[int] = 0

    def __init_subclass__(cls) -> None:
        Problem.classes[cls.answers] = cls

    def __init__(self, status: int, body: Mapping[str, Any], headers: Mapping[str, str]) -> None:
        self.status, self.body = status, body
        self.type, self.title = str(body.get("type") or "about:blank"), str(body.get("title") or "")
        self.detail, self.fix = str(body.get("detail") or ""), body.get("fix")
        self.field, self.system = body.get("field"), body.get("system")
        self.errors: list[Mapping[str, str]] = list(body.get("errors") or ())
        self.retry_after = retry_after(headers.get("Retry-After"))
        self.correlation_id = str(body.get("correlation_id") or headers.get("X-Correlation-Id") or "")
        super().__init__(f"{status} {self.title}: {self.detail}" if self.detail else f"{status} {self.title}")

    @property
    def kind(self) -> str:
        """The last part of the type: `not-found`."""
        return self.type.rpartition(":")[2].rpartition("/")[2]


class BadRequest(Problem):
    answers = 400


class Unauthorized(Problem):
    answers = 401


class Forbidden(Problem):
    answers = 403


class NotFound(Problem):
    answers = 404


class Conflict(Problem):
    answers = 409


class Gone(Problem):
    answers = 410


class PreconditionFailed(Problem):
    answers = 412


class Invalid(Problem):
    answers = 422


class PreconditionRequired(Problem):
    answers = 428


class TooManyRequests(Problem):
    answers = 429


class Failed(Problem):
    answers = 500


class BadGateway(Problem):
    answers = 502


class Unavailable(Problem):
    answers = 503


class TimedOut(Problem):
    answers = 504


def problem(response: httpx.Response) -> Problem:
    """The problem that a refusal tells of; one without a problem document is told by its status alone."""
    try:
        body = response.json()
    except ValueError:
        body = None
    said = body if isinstance(body, dict) else {"title": response.reason_phrase}
    kind = Problem.classes.get(response.status_code, Failed if response.status_code >= 500 else Problem)
    return kind(response.status_code, said, response.headers)
