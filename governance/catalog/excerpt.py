"""An excerpt of a contract: the operations a reader sees, and of the components only what these lead to."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from governance.catalog.reader import Reader
from governance.contract import Contract
from governance.source import Source, unescaped

_AS_A_WHOLE = ("securitySchemes",)
_HIDDEN = ("x-trivium-calls",)  # what lies behind what they may call is not theirs to know


def contract_of(document: Mapping[str, Any], name: str) -> Contract:
    """A contract that was parsed already."""
    return Contract(Source(name, json.dumps(document, ensure_ascii=False, default=str)))


def excerpt(contract: Contract, reader: Reader) -> Contract | None:
    """None where the reader sees nothing of it. Whoever sees everything gets the contract itself."""
    if reader.everything:
        return contract
    seen = [operation for operation in contract.operations if reader.sees(operation)]
    if not seen:
        return None
    whole = dict(contract.source.root)
    whole.pop("webhooks", None)
    paths: dict[str, Any] = {}
    for operation in seen:
        item = paths.setdefault(operation.path, {k: v for k, v in operation.item.value.items() if k == "parameters"})
        item[operation.method] = {k: v for k, v in operation.node.value.items() if k not in _HIDDEN}
    whole["paths"] = paths
    whole["info"] = {k: v for k, v in whole["info"].items() if k not in _HIDDEN}
    whole["components"] = _needed(paths, contract.source.root.get("components") or {}, _scopes(seen))
    return contract_of(whole, contract.name)


def _scopes(seen: list[Any]) -> frozenset[str]:
    return frozenset(scope for operation in seen for scope in operation.scopes)


def _needed(paths: Mapping[str, Any], components: Mapping[str, Any], scopes: frozenset[str]) -> dict[str, Any]:
    found: dict[str, Any] = {kind: _narrowed(components[kind], scopes) for kind in _AS_A_WHOLE if kind in components}
    waiting: list[Any] = [paths]
    while waiting:
        for reference in list(_references(waiting.pop())):
            tokens = [unescaped(token) for token in reference.split("/")[1:]]
            if len(tokens) < 3 or tokens[0] != "components" or tokens[2] in found.get(tokens[1], {}):
                continue
            said = components.get(tokens[1], {}).get(tokens[2])
            if said is not None:
                found.setdefault(tokens[1], {})[tokens[2]] = said
                waiting.append(said)
    return found


def _narrowed(schemes: Any, scopes: frozenset[str]) -> Any:
    """The security schemes with the scopes that what is seen asks for."""
    if isinstance(schemes, dict):
        return {k: _kept(v, scopes) if k == "scopes" else _narrowed(v, scopes) for k, v in schemes.items()}
    return schemes


def _kept(said: Any, scopes: frozenset[str]) -> Any:
    return {scope: text for scope, text in said.items() if scope in scopes} if isinstance(said, dict) else said


def _references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for name, inner in value.items():
            if name == "$ref" and isinstance(inner, str):
                yield inner
            else:
                yield from _references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _references(inner)
