"""The segments of a path are words in lower case with hyphens between them."""

import re
from collections.abc import Iterator

from governance.contract import Contract
from governance.lint.rule import Violation, rule

_KEBAB = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*|\{[a-z][a-z0-9_]*\}", re.ASCII)


@rule("kebab-case-paths", 20, see="Zalando 129", fix="write-it-like-this, and {parameters_like_this}")
def kebab_case_paths(contract: Contract) -> Iterator[Violation]:
    for path, item in contract.root.at("paths").items():
        wrong = [segment for segment in path.split("/")[1:] if segment and not _KEBAB.fullmatch(segment)]
        if wrong:
            yield Violation(item, f"{path} has the segment {wrong[0]}")
