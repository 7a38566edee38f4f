"""Every operation is secured by scopes its scheme defines, or public on purpose; no passwords, no keys where logs see them."""

import re
from collections.abc import Iterator

from governance.contract import Contract, Operation
from governance.lint.rule import Violation, rule
from governance.node import Node

_SCOPE = re.compile(r"[a-z][a-z0-9-]*:[a-z][a-z0-9-]*", re.ASCII)
_SECRET = re.compile(r"(?:^|[_-])(token|secret|password|api[_-]?key|access[_-]?key)$", re.IGNORECASE)


@rule(
    "secured-operations",
    43,
    see="OWASP API2:2023, API5:2023",
    fix="name scopes domain:verb of an oauth2 scheme, or say security: []",
)
def secured_operations(contract: Contract) -> Iterator[Violation]:
    schemes = {name: scheme.followed() for name, scheme in contract.component("securitySchemes").items()}
    for name, scheme in schemes.items():
        yield from _scheme(name, scheme)
    for operation in contract.operations:
        yield from _requirements(operation, schemes)
        for parameter in operation.parameters:
            if parameter.get("in") in ("query", "path") and _SECRET.search(str(parameter.get("name"))):
                yield Violation(parameter, f"{parameter.get('name')} is a secret in the URL, which every log keeps")


def _scheme(name: str, scheme: Node) -> Iterator[Violation]:
    if scheme.get("type") == "http" and str(scheme.get("scheme")).lower() == "basic":
        yield Violation(scheme, f"{name} sends passwords with every call")
    if scheme.get("type") == "apiKey" and scheme.get("in") == "query":
        yield Violation(scheme, f"{name} is a secret in the URL, which every log keeps")


def _requirements(operation: Operation, schemes: dict[str, Node]) -> Iterator[Violation]:
    if operation.security is None:
        yield Violation(operation.node, f"{operation.name} is neither secured nor public on purpose")
        return
    for requirement in operation.security:
        for name, scopes in requirement.items():
            if name not in schemes:
                yield Violation(operation.node, f"{operation.name} needs {name}, which no scheme is called")
                continue
            defined = {scope for _, flow in schemes[name].at("flows").items() for scope in flow.get("scopes") or ()}
            for scope in scopes or ():
                if schemes[name].get("type") == "oauth2" and (scope not in defined or not _SCOPE.fullmatch(scope)):
                    yield Violation(operation.node, f"{operation.name} needs {scope}, which is no defined domain:verb")
            if schemes[name].get("type") == "oauth2" and not scopes:
                yield Violation(operation.node, f"{operation.name} needs a token and no scope")
