"""What is in force is what was published: each contract beyond its draft hashes to its lock and has evidence that is signed."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from governance.publishing import evidence, lock
from governance.publishing.digest import digest


def faults(contracts: Path, documents: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """One line for each thing that is wrong; `documents` by file name, as they are in force. Raises BadLock."""
    releases = lock.read(contracts / lock.FILE)
    known = {lock.key(*_identity(document)): (name, document) for name, document in documents.items()}
    wrong = [line for key, (name, document) in known.items() for line in _of_one(contracts, name, document, releases.get(key))]
    gone = [release for key, release in releases.items() if key not in known and release.stage != "retired"]
    return wrong + [f"{release.key}: {release.version} is {release.stage} and has no contract any more" for release in gone]


def _of_one(contracts: Path, name: str, document: Mapping[str, Any], release: lock.Release | None) -> Iterator[str]:
    api, version = _identity(document)
    said = document.get("info", {}).get("x-trivium-lifecycle", {})
    stage = said.get("stage", "draft") if isinstance(said, dict) else "draft"
    if release is None:
        if stage != "draft":
            yield f"{name}: it says that it is {stage}, and {lock.FILE} does not know it"
        return
    if stage == "draft":
        if version == release.version:
            yield f"{name}: {version} is {release.stage}, and the contract says that it is a draft"
        return  # the next version of what is published is being written
    found = digest(document)
    if version != release.version or found != release.digest:
        yield f"{name}: {version} is not what was published as {release.version} (it hashes to {found}, not {release.digest})"
    if said != release.lifecycle():
        yield f"{name}: its lifecycle is not that of {lock.FILE}"
    for fault in evidence.faults(contracts, api, release.version, release.digest):
        yield f"{name}: {fault}"


def _identity(document: Mapping[str, Any]) -> tuple[str, str]:
    info = document.get("info", {})
    return str(info.get("x-trivium-api", "")), str(info.get("version", ""))
