"""What became of an API: its releases in their order, and what each changed for whom."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from governance.catalog.naming import key_of
from governance.changes.diff import diff
from governance.changes.finding import Finding, Severity
from governance.contract import Contract
from governance.node import Unresolved
from governance.publishing.digest import digest
from governance.publishing.evidence import Evidence

HEADINGS = {Severity.ERR: "Breaking", Severity.WARN: "To look out for", Severity.INFO: "New and changed"}


@dataclass(frozen=True, eq=False)
class Version:
    """`at`: when it was published; "" for what stands now and is not published."""

    name: str
    at: str
    contract: Contract
    approvals: tuple[str, ...] = ()
    signed_by: str = ""


@dataclass(frozen=True, eq=False)
class Change:
    """What one version changed; `since` is the one before it, "" for the first."""

    key: str
    title: str
    version: str
    since: str
    at: str
    findings: tuple[Finding, ...]

    @property
    def groups(self) -> list[tuple[str, list[Finding]]]:
        found = [(heading, [one for one in self.findings if one.severity is level]) for level, heading in HEADINGS.items()]
        return [(heading, listed) for heading, listed in found if listed]


def versions(contract: Contract, released: Iterable[tuple[Evidence, Contract]]) -> list[Version]:
    found = [_released(evidence, seen) for evidence, seen in released]
    if not found or digest(found[-1].contract.source.root) != digest(contract.source.root):
        found.append(Version(f"{contract.version} (draft)" if found else contract.version, "", contract))
    return found


def changes(found: Sequence[Version], today: date) -> list[Change]:
    """The latest first."""
    before: list[Version | None] = [None, *found[:-1]]
    return [_change(old, new, today) for old, new in zip(before, found, strict=True)][::-1]


def compared(old: Version, new: Version, today: date) -> Change:
    return _change(old, new, today)


def _change(old: Version | None, new: Version, today: date) -> Change:
    return Change(
        key=key_of(new.contract), title=str(new.contract.info.get("title", new.contract.api)), version=new.name,
        since=old.name if old else "", at=new.at, findings=tuple(_findings(old, new, today)) if old else (),
    )  # fmt: skip


def _findings(old: Version, new: Version, today: date) -> list[Finding]:
    try:
        return diff(old.contract, new.contract, today=today)
    except Unresolved as error:
        return [Finding("undecided", Severity.WARN, "", f"they cannot be compared: {error}", undecided=True)]


def _released(evidence: Evidence, seen: Contract) -> Version:
    agreed = tuple(str(one.get("team") or one.get("by") or one.get("as") or "") for one in evidence.approvals)
    return Version(evidence.version, evidence.published_at, seen, tuple(name for name in agreed if name), evidence.signed_by)
