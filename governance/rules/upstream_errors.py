"""What depends on others says what it answers when they are away or late: 503 and 504."""

from collections.abc import Iterator

from governance.contract import Contract
from governance.lint.rule import Violation, rule

_ALONE = frozenset({"ops"})


@rule("upstream-errors", 38, see="RFC 9110 section 15.6", fix="describe 503 and 504")
def upstream_errors(contract: Contract) -> Iterator[Violation]:
    if contract.layer in _ALONE:
        return
    for operation in contract.operations:
        for status in ("503", "504"):
            if not {status, "5XX", "default"} & operation.responses.keys():
                yield Violation(operation.node.raw("responses"), f"{operation.name} does not say what {status} is like")
