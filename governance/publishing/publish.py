"""A draft becomes a promise only when rules are kept, callers are not broken, tests were run, and its people agree."""

import json
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from governance.bundle import bundle
from governance.changes.diff import diff
from governance.changes.finding import Finding, Severity
from governance.changes.version import numbers
from governance.consumers.declared import Application, affected
from governance.contract import Contract
from governance.lint.configuration import Configuration
from governance.lint.engine import lint
from governance.lint.rule import Severity as Weight
from governance.publishing import evidence, lock, signing
from governance.publishing.digest import digest, promised
from governance.reports.entry import of_changes, of_lint
from governance.rules import RULES

APPROVALS = "approvals.toml"


class Refused(ValueError):
    """It is not published; each line says what stands in the way."""


@dataclass(frozen=True)
class Desk:
    """Where publishing works: the contracts, what tests left behind, who uses what, and the day."""

    contracts: Path  # the folder that holds openapi/, published.lock, evidence/, keys/, approvals.toml
    tests: Path  # the folder into which contract tests write their results
    applications: Sequence[Application]
    configuration: Configuration
    today: date
    key: str = ""  # the name of the publishing key
    private: Path = Path()

    @property
    def lock(self) -> Path:
        return self.contracts / lock.FILE


def publish(desk: Desk, contract: Contract) -> lock.Release:
    """Publishes a contract as it stands. Raises Refused with everything that stands in the way, BadKey, BadLock, Unresolved."""
    releases = lock.read(desk.lock)
    document = promised(bundle(contract))
    hashed, found = digest(document), list(lint([contract], RULES, desk.configuration, desk.today))
    before = _before(desk, contract, releases)
    changed = diff(before, contract, today=desk.today) if before is not None else []
    tests = _tests(desk, contract)
    approvals = _approvals(desk, contract, hashed)
    wrong = [f"{one.file}:{one.line}: {one.what} [{one.rule}]" for one in found if one.severity is Weight.ERROR]
    wrong += _version_faults(contract, before, changed, releases.get(lock.key(contract.api, contract.version)))
    wrong += _test_faults(tests, hashed)
    wrong += _approval_faults(approvals, contract, affected(desk.applications, contract, changed))
    if wrong:
        raise Refused("\n".join(wrong))
    made = evidence.Evidence(
        api=contract.api, version=contract.version, digest=hashed, document=document, lint=_counted(of_lint(found)),
        changes={"against": before.version if before else "", **_counted(of_changes(changed))}, tests=tests, approvals=approvals,
        made_with={"rules": str(len(RULES))}, published_at=datetime.now(UTC).isoformat(timespec="seconds"), signed_by=desk.key,
    )  # fmt: skip
    evidence.write(desk.contracts, replace(made, signature=signing.sign(desk.private, made.content())))
    release = lock.Release(contract.api, contract.version, hashed, "published", desk.today.isoformat())
    lock.write(desk.lock, {**releases, release.key: release})
    return release


def deprecate(desk: Desk, key: str, *, sunset: date, successor: str, notice: int = 90) -> lock.Release:
    """Announces an end. Raises Refused for one that comes too soon, or sooner than was announced."""
    releases, release = _known(desk, key)
    if (sunset - desk.today).days < notice:
        raise Refused(f"{key} may end on {sunset} at the earliest after {notice} days of notice; say a later --sunset")
    if release.sunset and sunset.isoformat() < release.sunset:
        raise Refused(f"{key} was announced to end on {release.sunset}; it may end later, not sooner")
    if successor and successor not in releases:
        raise Refused(f"{successor} is not published: callers would have nowhere to go")
    changed = release.deprecate(desk.today.isoformat(), sunset.isoformat(), successor)
    lock.write(desk.lock, {**releases, key: changed})
    return changed


def retire(desk: Desk, key: str, used_by: Sequence[str]) -> lock.Release:
    """Ends what has reached its sunset. `used_by`: whoever was seen to call it lately. Raises Refused."""
    releases, release = _known(desk, key)
    if not release.sunset or release.sunset > desk.today.isoformat():
        raise Refused(f"{key} ends on {release.sunset}" if release.sunset else f"{key} is not deprecated; announce its end first")
    declared = [application.name for application in desk.applications if application.uses_api(key)]
    if declared or used_by:
        raise Refused(f"{key} is still used by {', '.join(sorted({*declared, *used_by}))}")
    ended = replace(release, stage="retired")
    lock.write(desk.lock, {**releases, key: ended})
    return ended


def approve(desk: Desk, contract: Contract, team: str, by: str) -> str:
    """Writes down that a team agrees to exactly this promise; answers its digest."""
    hashed = digest(promised(bundle(contract)))
    said = {
        "api": contract.api,
        "version": contract.version,
        "digest": hashed,
        "team": team,
        "by": by,
        "on": desk.today.isoformat(),
    }
    lines = [f"{name} = {json.dumps(value)}" for name, value in said.items()]
    with (desk.contracts / APPROVALS).open("a", encoding="utf-8") as written:
        written.write("\n".join(["[[approvals]]", *lines, "", ""]))
    return hashed


def _known(desk: Desk, key: str) -> tuple[dict[str, lock.Release], lock.Release]:
    releases = lock.read(desk.lock)
    if key not in releases:
        raise Refused(f"{key} is not published; there are {', '.join(sorted(releases)) or 'none'}")
    return releases, releases[key]


def _before(desk: Desk, contract: Contract, releases: Mapping[str, lock.Release]) -> Contract | None:
    release = releases.get(lock.key(contract.api, contract.version))
    kept = evidence.read(desk.contracts, contract.api, release.version) if release else None
    return Contract.parse(json.dumps(kept.document), f"{contract.api} {kept.version}") if kept else None


def _version_faults(
    contract: Contract, before: Contract | None, changed: Sequence[Finding], release: lock.Release | None
) -> list[str]:
    new = numbers(contract.version)
    if new is None:
        return [f"{contract.version} is not a semantic version"]
    if before is None:
        return [f"the evidence of {release.key} {release.version} is gone: nothing can be compared"] if release else []
    old, breaking = numbers(before.version), [one for one in changed if one.severity is Severity.ERR]
    wrong = [f"{one.operation}: {one.sentence} [{one.id}]" for one in breaking]
    if breaking:
        wrong.append(f"what breaks callers needs a new major: {contract.api} {new[0] + 1}.0.0 beside {before.version}")
    elif old is not None and new <= old:
        wrong.append(f"{before.version} is published; a compatible change is {old[0]}.{old[1] + 1}.0")
    elif old is not None and changed and new[:2] == old[:2]:
        wrong.append(f"{contract.version} says that nothing was added: a compatible change is {old[0]}.{old[1] + 1}.0")
    return wrong


def _tests(desk: Desk, contract: Contract) -> dict[str, Any]:
    file = desk.tests / f"{contract.api.replace('/', '.')}.v{contract.version.partition('.')[0]}.json"
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _test_faults(tests: Mapping[str, Any], hashed: str) -> list[str]:
    if not tests or tests.get("digest") != hashed:
        return ["the contract tests have not been run on this contract as it is; run `make contract-tests`"]
    wrong = [f"the contract tests found {tests['failures']} failures"] if tests.get("failures") else []
    if not tests.get("cases"):
        wrong.append("the contract tests made no case")
    matrix = tests.get("matrix") or {}
    return wrong + [f"the {name} matrix was not run" for name in ("authorization", "limits") if not matrix.get(name)]


def _approvals(desk: Desk, contract: Contract, hashed: str) -> list[Mapping[str, Any]]:
    file = desk.contracts / APPROVALS
    listed = tomllib.loads(file.read_text(encoding="utf-8")).get("approvals", []) if file.exists() else []
    return [one for one in listed if (one.get("api"), one.get("digest")) == (contract.api, hashed)]


def _approval_faults(approvals: Sequence[Mapping[str, Any]], contract: Contract, teams: Sequence[str]) -> list[str]:
    owner = contract.info.get("x-trivium-owner")
    needed = {str(owner.get("team")) if isinstance(owner, dict) else "", *teams} - {""}
    missing = sorted(needed - {str(one.get("team")) for one in approvals})
    how = f"trivium contracts approve {lock.key(contract.api, contract.version)} --as"
    return [f"{team} has not agreed to it: {how} {team}" for team in missing]


def _counted(entries: Sequence[Any]) -> dict[str, Any]:
    counts: dict[str, int] = {}
    for entry in entries:
        counts[entry.level] = counts.get(entry.level, 0) + 1
    return {"counts": counts, "ids": sorted({entry.id for entry in entries})}
