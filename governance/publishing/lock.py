"""`contracts/published.lock`: what is published, in which version and stage, and what it must hash to."""

import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

FILE = "published.lock"
HEADER = "# Written by `trivium contracts publish`, `deprecate` and `retire`. What stands here is promised.\n"


class BadLock(ValueError):
    """The lock cannot be read; the message says why."""


@dataclass(frozen=True)
class Release:
    """The newest release of one major of an API. Days as YYYY-MM-DD."""

    api: str
    version: str
    digest: str
    stage: str  # published, deprecated or retired
    published: str
    deprecated: str = ""
    sunset: str = ""
    successor: str = ""  # "process/quotes/v2"

    @property
    def key(self) -> str:
        return key(self.api, self.version)

    def lifecycle(self) -> dict[str, str]:
        """What the contract says of its life."""
        dated = {"deprecated": self.deprecated, "sunset": self.sunset, "successor": self.successor}
        return {"stage": self.stage, **{name: value for name, value in dated.items() if value}}

    def deprecate(self, today: str, sunset: str, successor: str) -> "Release":
        return replace(self, stage="deprecated", deprecated=self.deprecated or today, sunset=sunset, successor=successor)


def key(api: str, version: str) -> str:
    """process/quotes/v1: where the contract is kept, without its suffix."""
    return f"{api}/v{version.partition('.')[0]}"


def read(file: Path) -> dict[str, Release]:
    """By key; none where there is no file. Raises BadLock."""
    if not file.exists():
        return {}
    try:
        said = tomllib.loads(file.read_text(encoding="utf-8"))
        return {name: Release(**entry) for name, entry in said.items()}
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, TypeError) as error:
        raise BadLock(f"{file.name}: {error}") from None


def write(file: Path, releases: Mapping[str, Release]) -> None:
    tables = [_table(releases[name]) for name in sorted(releases)]
    file.write_text(HEADER + "".join(tables), encoding="utf-8")


def applied(document: dict[str, Any], releases: Mapping[str, Release]) -> dict[str, Any]:
    """A drafted document with its life as the lock has it: code says what is promised, the lock how long."""
    info = document["info"]
    release = releases.get(key(str(info.get("x-trivium-api", "")), str(info.get("version", ""))))
    if release is None:
        return document
    return {**document, "info": {**info, "x-trivium-lifecycle": release.lifecycle()}}


def _table(release: Release) -> str:
    lines = [f"{name} = {json.dumps(value)}" for name, value in vars(release).items() if value]
    return "\n".join([f'\n["{release.key}"]', *lines, ""])
