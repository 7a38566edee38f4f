"""An operation has an id that is unique in its contract and can be part of a URL and of a program."""

import re
from collections.abc import Iterator

from governance.contract import Contract
from governance.lint.rule import Violation, rule

_SNAKE = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", re.ASCII)


@rule("operation-id", 3, see="Spectral operation-operationId, operation-operationId-unique", fix="name it verb_noun, once")
def operation_id(contract: Contract) -> Iterator[Violation]:
    seen: dict[str, str] = {}
    for operation in contract.operations:
        said = operation.node.get("operationId")
        if not isinstance(said, str) or not _SNAKE.fullmatch(said):
            yield Violation(operation.node, f"{operation.name} has no operationId in snake_case")
        elif said in seen:
            yield Violation(operation.node.raw("operationId"), f"{said} is also {seen[said]}")
        else:
            seen[said] = operation.name
