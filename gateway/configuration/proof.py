"""A promise that is out is kept: a contract beyond its draft is in force only as it was published, with its evidence."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from governance.publishing.lock import BadLock
from governance.publishing.verification import faults


def unproven(contracts: Path, documents: Mapping[str, Any]) -> list[str]:
    """What keeps these from being in force, one line each. Lock, evidence and keys stand beside the folder of contracts.

    What is no document at all is left out: that is said where it is read.
    """
    try:
        return faults(contracts.parent, {name: document for name, document in documents.items() if _is_contract(document)})
    except BadLock as error:
        return [str(error)]


def _is_contract(document: Any) -> bool:
    return isinstance(document, dict) and isinstance(document.get("info"), dict)
