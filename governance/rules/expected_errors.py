"""An operation describes the refusals it is bound to have: 401 and 403 if secured, 404 with an id, 400 or 422 with a body."""

from collections.abc import Iterator

from governance.contract import Contract, Operation
from governance.lint.rule import Violation, rule


@rule("expected-errors", 36, see="Spectral operation-4xx-response; OWASP API8:2023 define-error-responses-401", fix="describe it")
def expected_errors(contract: Contract) -> Iterator[Violation]:
    for operation in contract.operations:
        for statuses in _expected(operation):
            if not _described(operation, statuses):
                yield Violation(
                    operation.node.raw("responses"), f"{operation.name} does not say what {' or '.join(statuses)} is like"
                )


def _expected(operation: Operation) -> Iterator[tuple[str, ...]]:
    if operation.security:
        yield from (("401",), ("403",))
    if operation.path_names:
        yield ("404",)
    if operation.body is not None:
        yield ("400", "422")


def _described(operation: Operation, statuses: tuple[str, ...]) -> bool:
    return any(status in operation.responses for status in (*statuses, "4XX", "default"))
