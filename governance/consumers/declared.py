"""Applications say which operations they call and which fields they read and send: `contracts/consumers/<name>.yaml`."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from governance.changes.finding import Finding, Severity
from governance.contract import Contract
from governance.source import Source, Unreadable

FOLDER = "consumers"
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,63}", re.ASCII)


@dataclass(frozen=True)
class Use:
    """One operation of an API major. `fields`: top-level names it reads or sends; none said: any may matter."""

    operation: str
    fields: frozenset[str]


@dataclass(frozen=True)
class Application:
    """A registered consumer. `clients`: the client ids under which the gateway sees it."""

    name: str
    team: str
    contact: str
    clients: frozenset[str]
    uses: dict[str, tuple[Use, ...]]  # by API and major: process/quotes/v1

    def uses_api(self, key: str) -> bool:
        return key in self.uses


def read(contracts: Path) -> list[Application]:
    """Every declaration below consumers/. Raises Unreadable for one that says something else than it should.

    name: sales-portal
    team: sales-operations
    contact: sales-operations@acme.test
    clients: [tvc_1]
    uses:
      process/quotes/v1:
        validate_quote: [decision, checks]
    """
    files = sorted((contracts / FOLDER).glob("*.yaml"))
    return [_application(Source.read(file, f"{FOLDER}/{file.name}")) for file in files]


def affected(applications: Iterable[Application], contract: Contract, changed: Iterable[Finding]) -> list[str]:
    """The teams that must agree to a change: those whose application it breaks, or may."""
    return sorted({application.team for application, _ in impact(applications, contract, changed)})


def impact(
    applications: Iterable[Application], contract: Contract, changed: Iterable[Finding]
) -> list[tuple[Application, list[Finding]]]:
    """Whom a change breaks or may break, with what it is that does."""
    by_name = {operation.name: operation.id for operation in contract.operations}
    serious = [one for one in changed if one.severity is not Severity.INFO]
    key = f"{contract.api}/v{contract.version.partition('.')[0]}"
    hit = [(application, _hits(application.uses.get(key, ()), serious, by_name)) for application in applications]
    return [(application, found) for application, found in hit if found]


def _hits(uses: Sequence[Use], changed: Sequence[Finding], by_name: dict[str, str]) -> list[Finding]:
    known = {use.operation: use.fields for use in uses}
    return [one for one in changed if uses and _concerns(one, known, by_name)]


def _concerns(finding: Finding, known: dict[str, frozenset[str]], by_name: dict[str, str]) -> bool:
    if not finding.operation:
        return True  # it is about the whole contract
    operation = by_name.get(finding.operation) or _removed(finding)
    if operation not in known:
        return False
    field = "" if _asks_for_more(finding) else top_field(finding)
    return not field or not known[operation] or field in known[operation]


def _asks_for_more(finding: Finding) -> bool:
    """Whether it hits those who do not send the field it is about, whatever else they send."""
    asked = finding.id.startswith("request-") and finding.id.endswith("-became-required")
    return asked or finding.id.startswith("new-required-request-")


def _removed(finding: Finding) -> str:
    """The operationId of an operation that only the old contract has."""
    return str(finding.old.get("operationId", "")) if finding.old is not None else ""


def top_field(finding: Finding) -> str:
    """The top-level field of the body that a finding is about; "" where it is about something else."""
    return finding.path[0] if finding.path and finding.path[0] not in ("[]", "{}") else ""


def _application(source: Source) -> Application:
    said: Any = source.root
    if not isinstance(said, dict) or not _NAME.fullmatch(str(said.get("name", ""))):
        raise Unreadable(f"{source.name}: it needs a name of lower-case letters, digits and hyphens")
    strange = said.keys() - {"name", "team", "contact", "clients", "uses"}
    if strange:
        raise Unreadable(f"{source.name}: {sorted(strange)[0]} is not known; there are name, team, contact, clients and uses")
    uses = said.get("uses")
    if not str(said.get("team") or "") or not isinstance(uses, dict) or not uses:
        raise Unreadable(f"{source.name}: it needs a team, and uses: an API and major with its operations")
    return Application(
        name=said["name"], team=str(said["team"]), contact=str(said.get("contact", "")),
        clients=frozenset(map(str, said.get("clients") or ())),
        uses={api: _uses(source, api, used) for api, used in uses.items()},
    )  # fmt: skip


def _uses(source: Source, api: str, used: Any) -> tuple[Use, ...]:
    if not isinstance(used, dict):
        raise Unreadable(f"{source.name}: {api} needs its operations, each with the fields that are used (or an empty list)")
    return tuple(Use(str(operation), frozenset(map(str, fields or ()))) for operation, fields in used.items())
