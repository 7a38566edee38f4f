"""One entry: who did what, when, and how it ended. It has no room for bodies, secrets or addresses."""

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

CALL: Final = "call"
BEGAN, ENDED, LOST = "began", "ended", "lost"  # of the chain itself
CLAIMED: Final = "trivium.claimed"  # in the ASGI scope: the client that whoever asks for a token says it is
LONGEST = 200  # characters of a text that a caller chose


class Entry(NamedTuple):
    """`at`: microseconds of Unix time. `claimed`: the client somebody said to be, without proof. `digest`: SHA-256 of the body.

    Status 0: the caller left first, so whether it was done is for the record of the work to say.
    """

    at: int
    kind: str = CALL
    client: str = ""
    subject: str = ""
    partner: str = ""
    issuer: str = ""
    actor: str = ""
    token: str = ""
    claimed: str = ""
    operation: str = ""
    method: str = ""
    ids: Mapping[str, str] | None = None
    status: int = 0
    problem: str = ""
    correlation_id: str = ""
    request_id: str = ""
    digest: str = ""
    about: Mapping[str, Any] | None = None  # what an entry of the chain itself tells

    def text(self) -> str:
        """The entry as it is kept and sealed: JSON with sorted names, without what is empty."""
        said = {name: _short(value) for name, value in self._asdict().items() if value not in ("", None)}
        return json.dumps(said, sort_keys=True, separators=(",", ":"))


def told(text: str) -> dict[str, Any]:
    """The members of a kept entry; raises ValueError for what is none."""
    found = json.loads(text)
    if not isinstance(found, dict):
        raise ValueError("an entry is an object")
    return found


def microseconds(moment: datetime) -> int:
    return round(moment.timestamp() * 1_000_000)


def moment(at: int) -> datetime:
    return datetime.fromtimestamp(at / 1_000_000, UTC)


def digest(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


def _short(value: Any) -> Any:
    match value:
        case str():
            return value[:LONGEST]
        case Mapping():
            return {name: _short(inner) for name, inner in value.items()}
    return value
