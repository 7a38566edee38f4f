"""The version says how much changed: a breaking change is a new major, an addition a new minor."""

import re
from collections.abc import Collection, Iterator

from governance.changes.comparison import Comparison
from governance.changes.finding import Finding, Severity

_SEMVER = re.compile(r"(\d+)\.(\d+)\.(\d+)(?:[-+].*)?", re.ASCII)


def version(comparison: Comparison, found: Collection[Finding]) -> Iterator[Finding]:
    """Whether the new version number fits what was found; only for versions that read as semantic ones."""
    old, new = numbers(comparison.old.version), numbers(comparison.new.version)
    if old is None or new is None or not found:
        return
    places = (comparison.old.info, comparison.new.info)
    said = f"{comparison.old.version} became {comparison.new.version}"
    if any(finding.severity is Severity.ERR for finding in found) and new[0] <= old[0]:
        yield Finding("api-major-version-not-bumped", Severity.INFO, "", f"{said}, although it breaks callers", *places)
    elif new <= old:
        yield Finding("api-version-not-bumped", Severity.INFO, "", f"{said}, although it changed", *places)


def numbers(version: str) -> tuple[int, int, int] | None:
    found = _SEMVER.fullmatch(version)
    return (int(found[1]), int(found[2]), int(found[3])) if found else None
