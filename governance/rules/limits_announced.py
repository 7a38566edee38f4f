"""Callers are told what they may use: 429 with Retry-After, and RateLimit on every success."""

from collections.abc import Iterator

from governance.contract import Contract
from governance.lint.rule import Violation, rule


@rule(
    "limits-announced",
    37,
    see="IETF httpapi ratelimit-headers; Zalando 153; OWASP API4:2023 rate-limit",
    fix="describe 429 and the headers",
)
def limits_announced(contract: Contract) -> Iterator[Violation]:
    for operation in contract.operations:
        refusal = operation.responses.get("429") or operation.responses.get("4XX")
        if refusal is None or "Retry-After" not in refusal.at("headers"):
            yield Violation(operation.node.raw("responses"), f"{operation.name} has no 429 with Retry-After")
        for status, response in operation.successes.items():
            if "RateLimit" not in response.at("headers"):
                yield Violation(response, f"{operation.name} does not say with {status} what is left")
