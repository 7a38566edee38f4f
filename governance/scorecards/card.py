"""The scorecard of an API: one number from 0 to 100, and the parts it is made of."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from governance.consumers.declared import Application
from governance.contract import Contract
from governance.lint.configuration import Configuration
from governance.lint.engine import lint
from governance.publishing.digest import digest
from governance.publishing.lock import key
from governance.rules import RULES
from governance.scorecards.objectives import Measured, of_objectives
from governance.scorecards.part import Part
from governance.scorecards.parts import of_consumers, of_documentation, of_lint, of_tests


@dataclass(frozen=True)
class Scorecard:
    """`api`: with its major, as process/orders/v1."""

    api: str
    version: str
    parts: tuple[Part, ...]

    @property
    def score(self) -> int:
        """The parts by their weight; those of which nothing can be said do not count."""
        counted = [(part.weight, part.score) for part in self.parts if part.score is not None]
        return sum(weight * score for weight, score in counted) // (sum(weight for weight, _ in counted) or 1)


@dataclass(frozen=True)
class Known:
    """What is known beside the contracts. `tests`: the folder into which contract tests write; `measured`: by API and major."""

    today: date
    configuration: Configuration = field(default_factory=Configuration)
    tests: Path | None = None
    applications: Sequence[Application] = ()
    measured: Mapping[str, Measured] = field(default_factory=dict)


def scorecards(contracts: Iterable[Contract], known: Known) -> list[Scorecard]:
    """One for each contract, the worst first."""
    estate = list(contracts)
    return sorted((_card(one, estate, known) for one in estate), key=lambda card: (card.score, card.api))


def _card(contract: Contract, estate: Sequence[Contract], known: Known) -> Scorecard:
    named = key(contract.api, contract.version)
    findings = list(lint([contract], RULES, known.configuration, known.today))
    parts = (
        of_lint(findings),
        of_tests(_ran(known.tests, named), digest(contract.source.root)),
        of_consumers(contract, estate, known.applications),
        of_objectives(contract, known.measured.get(named)),
        of_documentation(contract),
    )
    return Scorecard(named, contract.version, parts)


def _ran(folder: Path | None, named: str) -> Mapping[str, Any] | None:
    """The result under process.orders.v1.json; None where there is none that can be read."""
    if folder is None:
        return None
    try:
        found = json.loads((folder / f"{named.replace('/', '.')}.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None
