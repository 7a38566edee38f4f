"""GET and DELETE carry no body."""

from collections.abc import Iterator

from governance.contract import Contract
from governance.lint.rule import Violation, rule


@rule(
    "no-body-on-get",
    41,
    see="RFC 9110 sections 9.3.1, 9.3.5; Spectral no-get-request-body",
    fix="say it in the path or the query",
)
def no_body_on_get(contract: Contract) -> Iterator[Violation]:
    for operation in contract.operations:
        if operation.method in ("get", "delete", "head") and operation.body is not None:
            yield Violation(operation.node.raw("requestBody"), f"{operation.name} takes a body")
