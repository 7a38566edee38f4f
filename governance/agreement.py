"""Code and promise agree when their documents mean the same: order and formatting do not count, everything else does."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

CONTRACTS = Path(__file__).parent.parent / "contracts" / "openapi"
HEADER = "# Drafted from the code by `trivium contracts draft`; the gateway enforces this file, not the code.\n"


class _Dumper(yaml.SafeDumper):
    """Block style without anchors: a contract is read by people and by diff."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _text)


def place(api_id: str, major: int, root: Path = CONTRACTS) -> Path:
    """contracts/openapi/process/orders/v1.yaml for process/orders, 1."""
    return root / api_id / f"v{major}.yaml"


def write(document: Mapping[str, Any], file: Path) -> bool:
    """Writes a draft; answers whether it changed anything."""
    text = HEADER + yaml.dump(dict(document), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=130)
    if file.exists() and file.read_text(encoding="utf-8") == text:
        return False
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
    return True


def read(file: Path) -> dict[str, Any]:
    found: dict[str, Any] = yaml.load(file.read_text(encoding="utf-8"), yaml.CSafeLoader)
    return found


def disagreements(promised: Any, declared: Any, pointer: str = "") -> Iterator[str]:
    """Where promise and code differ, one line each: a JSON pointer and what either says."""
    if isinstance(promised, Mapping) and isinstance(declared, Mapping):
        for key in sorted({*promised, *declared}, key=str):
            here = f"{pointer}/{str(key).replace('~', '~0').replace('/', '~1')}"
            if key not in promised:
                yield f"{here}: the code declares it, the contract does not promise it"
            elif key not in declared:
                yield f"{here}: the contract promises it, the code does not declare it"
            else:
                yield from disagreements(promised[key], declared[key], here)
    elif isinstance(promised, list) and isinstance(declared, list):
        if _unordered(promised) != _unordered(declared):
            yield f"{pointer}: the contract says {promised!r}, the code {declared!r}"
    elif promised != declared:
        yield f"{pointer}: the contract says {promised!r}, the code {declared!r}"


def _unordered(items: list[Any]) -> list[str]:
    return sorted(yaml.dump(item, sort_keys=True) for item in items)
