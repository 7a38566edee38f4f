"""`trivium contracts scorecard`: how good every API is, why, and whether it gets better."""

from datetime import date
from pathlib import Path
from typing import Annotated, Literal

import httpx
import typer

from gateway.house import CONTRACTS
from governance.collection import collect
from governance.consumers.declared import read as applications
from governance.lint.configuration import FILE as LINT_FILE
from governance.lint.configuration import BadConfiguration
from governance.lint.configuration import read as lint_configuration
from governance.rules import RULES
from governance.scorecards import objectives
from governance.scorecards.card import Known, scorecards
from governance.scorecards.shown import FORMATS
from governance.scorecards.trend import BadTrend, read, record
from governance.source import Unreadable
from trivium.terminal import refuse, settings_in_force

TREND, EVIDENCE = "scorecards.jsonl", "evidence"  # in the data directory


def scorecard(
    places: Annotated[str, typer.Argument(help="A contract, or a folder of them; the estate's own if left out.")] = str(
        CONTRACTS
    ),
    format: Annotated[Literal["text", "json", "markdown"], typer.Option(help="For people, programs or pages.")] = "text",
    metrics: Annotated[str | None, typer.Option(help="What the gateway counted: a file, or the URL of /metrics.")] = None,
    tests: Annotated[Path | None, typer.Option(help="Where the contract tests wrote what they found.")] = None,
    trend: Annotated[Path | None, typer.Option(help="Where the scores of each day are kept.")] = None,
    keep: Annotated[bool, typer.Option(help="Write today's scores into the trend.")] = True,
    at_least: Annotated[int, typer.Option(min=0, max=100, help="Exit code 1 where an API scores less.")] = 0,
) -> None:
    """Score every API from 0 to 100 on rules, tests, consumers on old versions, objectives, documentation; the trend is kept."""
    today, data = date.today(), settings_in_force().data
    kept = trend or data / TREND
    try:
        folder = CONTRACTS.parent
        known = Known(
            today, lint_configuration(folder / LINT_FILE, RULES), tests or data / EVIDENCE, applications(folder),
            _measured(metrics) if metrics else {},
        )  # fmt: skip
        cards = scorecards(collect(places).values(), known)
        scores = record(kept, cards, today) if keep else read(kept)
    except (Unreadable, BadConfiguration, BadTrend) as error:
        refuse(str(error), code=2)
    typer.echo(FORMATS[format](cards, scores, today), nl=False)
    if any(card.score < at_least for card in cards):
        raise typer.Exit(1)


def _measured(place: str) -> dict[str, objectives.Measured]:
    try:
        if place.startswith(("http://", "https://")):
            return objectives.read(httpx.get(place, timeout=10).raise_for_status().text)
        return objectives.read(Path(place).read_text(encoding="utf-8"))
    except (OSError, httpx.HTTPError, ValueError) as error:
        refuse(f"{place} cannot be read as what /metrics shows: {error}", code=2)
