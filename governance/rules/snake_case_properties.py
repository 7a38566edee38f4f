"""Properties are written in snake_case, in every contract of the estate."""

import re
from collections.abc import Iterator

from governance.contract import Contract
from governance.lint.rule import Violation, rule

_SNAKE = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", re.ASCII)
_STANDARD = frozenset({"violated-policies"})  # spelt by IETF httpapi ratelimit-headers


@rule("snake-case-properties", 23, see="Zalando 118", fix="write_it_like_this")
def snake_case_properties(contract: Contract) -> Iterator[Violation]:
    for found in contract.schemas:
        for name, schema in found.node.raw("properties").items():
            if not _SNAKE.fullmatch(name) and name not in _STANDARD:
                yield Violation(schema, f"the property {name} is not in snake_case")
