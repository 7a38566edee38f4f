"""Query parameters are written in snake_case, headers in Capital-Case."""

import re
from collections.abc import Iterator

from governance.contract import Contract
from governance.lint.rule import Violation, rule

_CASES = {
    "query": re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", re.ASCII),
    "path": re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", re.ASCII),
    "header": re.compile(r"[A-Z][A-Za-z0-9]*(-[A-Z][A-Za-z0-9]*)*", re.ASCII),
}


@rule("snake-case-parameters", 24, see="Zalando 130, 132", fix="query_like_this, Header-Like-This")
def snake_case_parameters(contract: Contract) -> Iterator[Violation]:
    for operation in contract.operations:
        for parameter in operation.parameters:
            case = _CASES.get(str(parameter.get("in")))
            if case is not None and not case.fullmatch(str(parameter.get("name"))):
                yield Violation(parameter, f"the {parameter.get('in')} parameter {parameter.get('name')} is spelt otherwise")
