"""Where a version is in its life, as its contract says under x-trivium-lifecycle; contradictory dates fail the start."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

STAGES = ("draft", "published", "deprecated", "retired")
MEMBERS = ("stage", "published", "deprecated", "sunset", "retired", "successor", "documentation", "reason")
_PLACE = re.compile(r"(?:/|https://)[^\s<>\"\\]{1,500}")


class BadLifecycle(ValueError):
    """It contradicts itself or cannot be read; the message says what to change."""


@dataclass(frozen=True, slots=True)
class Lifecycle:
    """`sunset`: from then on nothing is answered but that. `successor` and `documentation` are paths or https URLs."""

    stage: str = "draft"
    deprecated: datetime | None = None
    sunset: datetime | None = None
    successor: str = ""
    documentation: str = ""

    @classmethod
    def of(cls, said: Any) -> "Lifecycle":
        """Raises BadLifecycle."""
        if not isinstance(said, Mapping) or said.keys() - set(MEMBERS):
            raise BadLifecycle(f"it is an object whose members are {', '.join(MEMBERS)}")
        stage = said.get("stage", "draft")
        if stage not in STAGES:
            raise BadLifecycle(f"stage is one of {', '.join(STAGES)}")
        deprecated, sunset, retired = (_moment(said, name) for name in ("deprecated", "sunset", "retired"))
        _moment(said, "published")
        found = cls(stage, deprecated, retired or sunset, _place(said, "successor"), _place(said, "documentation"))
        found._check()
        return found

    def _check(self) -> None:
        if self.stage == "deprecated" and self.deprecated is None:
            raise BadLifecycle("what is deprecated says since when: deprecated: 2026-01-31")
        if self.deprecated and self.sunset and self.sunset < self.deprecated:
            raise BadLifecycle("sunset is earlier than deprecated; callers would have to leave before they are warned")

    @property
    def announces(self) -> bool:
        """Whether callers have to be told anything."""
        return self.stage == "retired" or bool(self.deprecated or self.sunset)

    def is_over(self, now: datetime) -> bool:
        return self.stage == "retired" or (self.sunset is not None and now >= self.sunset)


def _moment(said: Mapping[str, Any], name: str) -> datetime | None:
    """A day means its first moment in UTC."""
    text = said.get(name)
    if text is None:
        return None
    try:
        found = datetime.fromisoformat(text)
    except (TypeError, ValueError):
        raise BadLifecycle(f"{name} is a date such as 2026-01-31, or a time such as 2026-01-31T12:00:00Z; not {text!r}") from None
    if len(text) > 10 and found.tzinfo is None:
        raise BadLifecycle(f"{name} needs a time zone: {text}Z")
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)


def _place(said: Mapping[str, Any], name: str) -> str:
    place = said.get(name, "")
    if place and not (isinstance(place, str) and _PLACE.fullmatch(place)):
        raise BadLifecycle(f"{name} is a path such as /process/orders/v2, or an https URL")
    return str(place)
