"""The contract as its reader sees it, whole, with the address at which it is served."""

import json
from typing import Any

import yaml

from governance.bundle import bundle
from governance.contract import Contract


def as_yaml(contract: Contract, base: str) -> bytes:
    dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
    text: str = yaml.dump(_served(contract, base), Dumper=dumper, sort_keys=False, allow_unicode=True, width=130)
    return text.encode()


def as_json(contract: Contract, base: str) -> bytes:
    return json.dumps(_served(contract, base), indent=1, ensure_ascii=False).encode()


def _served(contract: Contract, base: str) -> dict[str, Any]:
    document = bundle(contract)
    return {**document, "servers": [{"url": base}]} if contract.kind == "openapi" else document
