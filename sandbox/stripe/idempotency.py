"""Idempotency keys: the first answer that came from execution, a 500 included, is the answer to every repetition.

https://docs.stripe.com/api/idempotent_requests: nothing is kept when the parameters were refused or a request with the
same key was in flight; the same key with other parameters is an error.
"""

from dataclasses import dataclass

from sandbox.stripe import errors
from sandbox.stripe.form import Tree

MAX_KEY = 255
KEPT_SECONDS = 24 * 3600


@dataclass(frozen=True)
class Answer:
    """What is sent and, under a key, kept."""

    status: int
    body: bytes
    request_id: str


@dataclass(frozen=True)
class _Kept:
    path: str
    params: Tree
    answer: Answer
    at: float


class Keys:
    """The idempotency keys of one account."""

    def __init__(self) -> None:
        self.kept: dict[str, _Kept] = {}
        self.in_flight: set[str] = set()

    def begin(self, key: str) -> None:
        """Takes the key for one request. Raises Refused when another has it, or the key is too long."""
        if len(key) > MAX_KEY:
            message = f"Idempotency keys can have up to {MAX_KEY} characters; this one has {len(key)}."
            raise errors.Refused(400, message, type="idempotency_error")
        if key in self.in_flight:
            message = f"There is currently another in-progress request using this Idempotent Key: {key}. Please try again later."
            raise errors.Refused(409, message, code="idempotency_key_in_use", type="idempotency_error")
        self.in_flight.add(key)

    def end(self, key: str) -> None:
        self.in_flight.discard(key)

    def replay(self, key: str, path: str, params: Tree, now: float) -> Answer | None:
        """The kept answer. Raises Refused when the key was first used for something else."""
        kept = self.kept.get(key)
        if kept is None or now - kept.at > KEPT_SECONDS:
            return None
        if kept.path != path:
            message = (
                "Keys for idempotent requests can only be used for the same endpoint they were first used for "
                f"('{path}' vs '{kept.path}'). Try using a key other than '{key}' if you meant to execute a different request."
            )
            raise errors.Refused(400, message, type="idempotency_error")
        if kept.params != params:
            message = (
                "Keys for idempotent requests can only be used with the same parameters they were first used with. "
                f"Try using a key other than '{key}' if you meant to execute a different request."
            )
            raise errors.Refused(400, message, type="idempotency_error")
        return kept.answer

    def keep(self, key: str, path: str, params: Tree, answer: Answer, now: float) -> None:
        """Keeps an answer, unless the key already has one."""
        kept = self.kept.get(key)
        if kept is None or now - kept.at > KEPT_SECONDS:
            self.kept[key] = _Kept(path, params, answer, now)
