"""What callers send is closed, so that a misspelt name is told; what they get is open, so that it can grow."""

from collections.abc import Iterator

from governance.changes.facts import conjuncts
from governance.contract import Contract
from governance.lint.rule import Violation, rule
from governance.schemas import contents


@rule(
    "closed-requests",
    32,
    see="OWASP API3:2023 no-additionalProperties; Zalando 111",
    fix="say additionalProperties: false on requests only",
)
def closed_requests(contract: Contract) -> Iterator[Violation]:
    for operation in contract.operations:
        for schema in contents(operation.body) if operation.body is not None else ():
            parts = list(conjuncts([schema]))
            if any("properties" in part for part in parts) and not any(_closes(part.value) for part in parts):
                yield Violation(schema, f"{operation.name} takes members that it does not know")


def _closes(part: object) -> bool:
    return isinstance(part, dict) and False in (part.get("additionalProperties"), part.get("unevaluatedProperties"))
