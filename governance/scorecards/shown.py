"""Scorecards for people, programs and pages."""

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import date

from governance.scorecards.card import Scorecard
from governance.scorecards.trend import Trend, change

Show = Callable[[Sequence[Scorecard], Trend, date], str]


def text(cards: Sequence[Scorecard], trend: Trend, today: date) -> str:
    lines = []
    for card in cards:
        lines.append(f"{card.score:>3}{_arrow(card, trend, today)}  {card.api} {card.version}")
        lines += [f"     {_score(part.score):>3}  {part.name:<14} {part.why}" for part in card.parts]
    return "".join(f"{line}\n" for line in lines)


def as_json(cards: Sequence[Scorecard], trend: Trend, today: date) -> str:
    said = [
        {
            "api": card.api, "version": card.version, "score": card.score,
            "parts": [{"name": one.name, "weight": one.weight, "score": one.score, "why": one.why} for one in card.parts],
            "trend": {day.isoformat(): score for day, score in sorted(trend.get(card.api, {}).items())},
            "change_30_days": change(trend, card, today),
        }
        for card in cards
    ]  # fmt: skip
    return json.dumps({"scorecards": said}, indent=2, ensure_ascii=False) + "\n"


def markdown(cards: Sequence[Scorecard], trend: Trend, today: date) -> str:
    names = [part.name for part in cards[0].parts] if cards else []
    head = ["API", "Score", "30 days", *(name.capitalize() for name in names)]
    rows = [head, ["---"] * len(head)]
    for card in cards:
        moved = change(trend, card, today)
        shown = "" if moved is None else f"{moved:+d}"
        rows.append([f"{card.api} {card.version}", str(card.score), shown, *(_score(part.score) for part in card.parts)])
    return "".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |\n" for row in rows)


def _arrow(card: Scorecard, trend: Trend, today: date) -> str:
    moved = change(trend, card, today)
    return "" if moved is None else f" ({moved:+d} in 30 days)"


def _score(score: int | None) -> str:
    return "–" if score is None else str(score)


FORMATS: Mapping[str, Show] = {"text": text, "json": as_json, "markdown": markdown}
