"""Which rules hold where, and how much they weigh: `contracts/lint.toml`, by rule, layer and audience."""

import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from governance.contract import Contract
from governance.lint.rule import Rule, Severity

FILE = "lint.toml"


class BadConfiguration(ValueError):
    """The lint configuration cannot be used; the message says which entry and why."""


@dataclass(frozen=True)
class Override:
    """What an entry changes: the rules it names, for contracts of its layer and its audience (each "": of any)."""

    layer: str
    audience: str
    severities: Mapping[str, Severity]

    def concerns(self, contract: Contract) -> bool:
        return self.layer in ("", contract.layer) and self.audience in ("", contract.audience)


@dataclass(frozen=True)
class Configuration:
    """Overrides in their order: a later one wins over an earlier one, every one over the rule's own severity."""

    overrides: tuple[Override, ...] = ()

    def severity(self, rule: Rule, contract: Contract) -> Severity:
        found = rule.severity
        for override in self.overrides:
            if rule.id in override.severities and override.concerns(contract):
                found = override.severities[rule.id]
        return found


def read(file: Path, rules: Collection[Rule]) -> Configuration:
    """The configuration in a file; the rules' own severities where there is none.

    [severities]                    # for all contracts
    "tags-declared" = "warning"

    [[overrides]]                   # for some
    layer = "system"                # or audience = "partner", or both
    severities = { "plural-resources" = "off" }

    Raises BadConfiguration.
    """
    if not file.exists():
        return Configuration()
    try:
        said = tomllib.loads(file.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadConfiguration(f"{file.name}: {error}") from None
    strange = said.keys() - {"severities", "overrides"}
    if strange:
        raise BadConfiguration(f"{file.name}: {sorted(strange)[0]} is not known; there are severities and overrides")
    known = {rule.id for rule in rules}
    everywhere = Override("", "", _severities(file.name, said.get("severities", {}), known))
    return Configuration((everywhere, *(_override(file.name, entry, known) for entry in said.get("overrides", []))))


def _override(name: str, entry: Any, known: Collection[str]) -> Override:
    strange = entry.keys() - {"layer", "audience", "severities"} if isinstance(entry, dict) else {"an entry that is no table"}
    if strange:
        raise BadConfiguration(f"{name}: {sorted(strange)[0]} is not known in overrides; there are layer, audience, severities")
    return Override(
        str(entry.get("layer", "")), str(entry.get("audience", "")), _severities(name, entry.get("severities"), known)
    )


def _severities(name: str, said: Any, known: Collection[str]) -> dict[str, Severity]:
    if not isinstance(said, dict):
        raise BadConfiguration(f"{name}: severities is a table of rule = severity")
    for rule, severity in said.items():
        if rule not in known:
            raise BadConfiguration(f"{name}: there is no rule {rule}")
        if severity not in list(Severity):
            raise BadConfiguration(f"{name}: {rule} may be {', '.join(Severity)}, not {severity!r}")
    return {rule: Severity(severity) for rule, severity in said.items()}
