"""The trend: one line a day for each API, the last of a day counts, and what is older than two years is let go."""

import json
import os
from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from pathlib import Path

from governance.scorecards.card import Scorecard

KEPT = timedelta(days=730)
Trend = Mapping[str, Mapping[date, int]]  # by API and major, by day


class BadTrend(ValueError):
    """The trend cannot be read; the message says which line."""


def read(file: Path) -> dict[str, dict[date, int]]:
    """{"day": "2026-11-21", "api": "process/orders/v1", "score": 83}. Raises BadTrend."""
    found: dict[str, dict[date, int]] = {}
    for number, line in enumerate(file.read_text(encoding="utf-8").splitlines() if file.exists() else (), start=1):
        try:
            said = json.loads(line)
            found.setdefault(str(said["api"]), {})[date.fromisoformat(said["day"])] = int(said["score"])
        except (ValueError, KeyError, TypeError):
            raise BadTrend(f"{file}, line {number}: it is not a day, an api and a score") from None
    return found


def record(file: Path, cards: Iterable[Scorecard], today: date) -> dict[str, dict[date, int]]:
    """With the scores of today, in place of earlier ones of today; answers all. Raises BadTrend."""
    known = read(file)
    for card in cards:
        known.setdefault(card.api, {})[today] = card.score
    kept = sorted((day, api, score) for api, days in known.items() for day, score in days.items() if today - KEPT < day <= today)
    file.parent.mkdir(parents=True, exist_ok=True)
    fresh = file.with_name(f"{file.name}.new")
    lines = [json.dumps({"day": day.isoformat(), "api": api, "score": score}) for day, api, score in kept]
    fresh.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    os.replace(fresh, file)
    return known


def change(trend: Trend, card: Scorecard, today: date, days: int = 30) -> int | None:
    """Against the last score that is at least so many days old; None where there is none."""
    past = [day for day in trend.get(card.api, {}) if day <= today - timedelta(days=days)]
    return card.score - trend[card.api][max(past)] if past else None
