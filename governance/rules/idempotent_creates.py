"""What creates or changes by POST or PATCH takes the caller's key, so that twice is once; or says that it changes nothing."""

from collections.abc import Iterator

from governance.contract import Contract, Operation
from governance.lint.rule import Violation, rule


@rule(
    "idempotent-creates",
    39,
    see="IETF httpapi idempotency-key; Zalando 230",
    fix="take Idempotency-Key, or say x-trivium-idempotency: none",
)
def idempotent_creates(contract: Contract) -> Iterator[Violation]:
    for operation in contract.operations:
        if operation.method not in ("post", "patch") or "x-trivium-idempotency" in operation.node:
            if operation.extension("idempotency") == "required" and not _takes_key(operation):
                yield Violation(operation.node, f"{operation.name} requires an Idempotency-Key and does not describe it")
        elif not _takes_key(operation):
            yield Violation(operation.node, f"{operation.name} does it twice when it is sent twice")


def _takes_key(operation: Operation) -> bool:
    return any(one.get("in") == "header" and str(one.get("name")).lower() == "idempotency-key" for one in operation.parameters)
