"""The evidence for one release: the promise itself, what was checked of it, who agreed, and a signature over all of it."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from governance.publishing import signing
from governance.publishing.digest import canonical, digest

FOLDER = "evidence"


@dataclass(frozen=True)
class Evidence:
    """`document`: the promise, bundled. `lint`, `changes`: what was found, by level. `tests`: the contract-test run."""

    api: str
    version: str
    digest: str
    document: Mapping[str, Any]
    lint: Mapping[str, Any]
    changes: Mapping[str, Any]
    tests: Mapping[str, Any]
    approvals: list[Mapping[str, Any]]
    made_with: Mapping[str, str]
    published_at: str
    signed_by: str = ""
    signature: str = ""

    def content(self) -> bytes:
        """What is signed: everything but the signature."""
        said = asdict(self)
        del said["signature"]
        return canonical(said)


def place(contracts: Path, api: str, version: str) -> Path:
    return contracts / FOLDER / api / f"{version}.json"


def write(contracts: Path, evidence: Evidence) -> Path:
    file = place(contracts, evidence.api, evidence.version)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(asdict(evidence), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return file


def read(contracts: Path, api: str, version: str) -> Evidence | None:
    """None where there is none that can be read."""
    try:
        return Evidence(**json.loads(place(contracts, api, version).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def releases(contracts: Path, api: str) -> list[Evidence]:
    """Of every release of an API, oldest first."""
    found = [read(contracts, api, file.stem) for file in (contracts / FOLDER / api).glob("*.json")]
    return sorted((one for one in found if one is not None), key=lambda one: [int(n) for n in one.version.split(".")])


def faults(contracts: Path, api: str, version: str, expected: str) -> list[str]:
    """Why the evidence of a release does not stand for a promise that hashes to `expected`; nothing where it does."""
    evidence, name = read(contracts, api, version), f"{FOLDER}/{api}/{version}.json"
    if evidence is None:
        return [f"there is no evidence for {api} {version} ({name})"]
    wrong = []
    if evidence.digest != expected or digest(evidence.document) != expected:
        wrong.append(f"{name} is the evidence of another promise than {api} {version} makes")
    if not signing.signed(contracts, evidence.signed_by, evidence.signature, evidence.content()):
        wrong.append(f"{name} is not signed by a key in {signing.FOLDER}/")
    return wrong
