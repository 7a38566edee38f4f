"""A promise that is out is kept: a contract beyond its draft is in force only as it was published, with its evidence."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from governance.publishing.lock import BadLock
from governance.publishing.verification import faults
from governance.source import parsed


def unproven(contracts: Path, texts: Mapping[str, str]) -> list[str]:
    """What keeps these texts from being in force, one line each. Lock, evidence and keys stand beside the folder of contracts."""
    try:
        return faults(contracts.parent, {name: document for name, text in texts.items() if (document := _document(text))})
    except BadLock as error:
        return [str(error)]


def _document(text: str) -> dict[str, Any]:
    """Nothing for what is no document at all: that is said where it is read."""
    try:
        found = parsed(text)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) and isinstance(found.get("info"), dict) else {}
