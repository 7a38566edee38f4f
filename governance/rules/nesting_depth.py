"""A path leads through at most three resources."""

from collections.abc import Iterator

from governance.contract import Contract
from governance.lint.rule import Violation, rule

DEEPEST = 3
_FIXED = 3  # layer, API, version


@rule("nesting-depth", 26, see="Zalando 147", fix="give the innermost a path of its own")
def nesting_depth(contract: Contract) -> Iterator[Violation]:
    for path, item in contract.root.at("paths").items():
        segments = path.split("/")[1:]
        start = _FIXED if contract.layer and segments[:1] == [contract.layer] else 0
        depth = sum(not segment.startswith("{") for segment in segments[start:])
        if depth > DEEPEST:
            yield Violation(item, f"{path} leads through {depth} resources")
