"""Errors are problems: every 4xx, 5xx and default response is `application/problem+json` and nothing else."""

from collections.abc import Iterator

from governance.contract import Contract
from governance.lint.rule import Violation, rule

PROBLEM_JSON = "application/problem+json"


@rule(
    "problem-json", 35, see="RFC 9457; Zalando 176; Redocly operation-4xx-problem-details",
    fix=f"describe the error as {PROBLEM_JSON}",
)  # fmt: skip
def problem_json(contract: Contract) -> Iterator[Violation]:
    for operation in contract.operations:
        for status, response in operation.responses.items():
            if status[0] in "45d" and set(response.get("content") or {}) != {PROBLEM_JSON}:
                yield Violation(response, f"{operation.name} answers {status} otherwise than as a problem")
