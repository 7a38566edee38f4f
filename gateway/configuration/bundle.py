"""A configuration as data: governed sections and contracts, named by their digest. What is equal has the same name everywhere."""

import gzip
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Self

from gateway.configuration.proof import unproven
from gateway.configuration.sections import sections_of
from gateway.contracts import BadContract, attempted
from gateway.services.bundle import files_of
from kernel.settings import Settings

LARGEST = 64 * 1024 * 1024  # bytes of one, unpacked


class BadConfiguration(ValueError):
    """The configuration cannot be used. `faults`: everything found wrong, each with its place."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


@dataclass(frozen=True)
class Bundle:
    """`contracts`: text by path below the contracts' directory. `files`: text of what sections name, by the name they use."""

    sections: Mapping[str, Any]
    contracts: Mapping[str, str]
    files: Mapping[str, str]

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the canonical JSON."""
        return hashlib.sha256(self._canonical()).hexdigest()

    @cached_property
    def documents(self) -> Mapping[str, Any]:
        """Each contract parsed, or the BadContract that it is."""
        return {name: attempted(text) for name, text in self.contracts.items()}

    def text(self, name: str) -> str:
        """Of a file that the sections name. Raises ValueError."""
        if name not in self.files:
            raise ValueError("it is not among the files of this configuration")
        return self.files[name]

    def packed(self) -> bytes:
        return gzip.compress(self._canonical(), 1, mtime=0)

    @classmethod
    def unpacked(cls, content: bytes) -> Self:
        """Raises BadConfiguration for what is no bundle."""
        try:
            return cls.of_json(json.loads(gzip.decompress(content)))
        except (OSError, EOFError, ValueError) as error:
            raise BadConfiguration([f"a kept configuration cannot be read: {error}"]) from None

    @classmethod
    def of_json(cls, said: Any) -> Self:
        if not isinstance(said, dict) or not all(isinstance(said.get(name), dict) for name in ("sections", "contracts", "files")):
            raise ValueError("it lacks sections, contracts or files")
        return cls(said["sections"], said["contracts"], said["files"])

    def json(self) -> dict[str, Any]:
        return {"sections": dict(self.sections), "contracts": dict(self.contracts), "files": dict(self.files)}

    def _canonical(self) -> bytes:
        return json.dumps(self.json(), sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def read_bundle(settings: Settings, contracts: Path, base: Path) -> Bundle:
    """As the files stand. `base`: what paths in the settings are relative to. Raises BadConfiguration for what cannot be read."""
    faults: list[str] = []
    texts = {str(file.relative_to(contracts)): _text(file, faults) for file in sorted(contracts.rglob("*.yaml"))}
    if not texts:
        faults.append(f"there is no contract below {contracts}")
    files: dict[str, str] = {}
    for service in settings.services:
        try:
            files |= files_of(service.contract.as_posix(), lambda name: (base / name).read_text(encoding="utf-8"))
        except BadContract as error:
            faults.append(f"service {service.name}: {error}")
    bundle = Bundle(sections_of(settings), texts, files)
    faults += unproven(contracts, bundle.documents)
    if faults:
        raise BadConfiguration(faults)
    return bundle


def _text(file: Path, faults: list[str]) -> str:
    try:
        if file.stat().st_size > LARGEST:
            raise ValueError(f"larger than {LARGEST} bytes")
        return file.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        faults.append(f"{file}: cannot be read: {error}")
        return ""
