"""A path is a path: no query in it, no slash at its end, none doubled."""

from collections.abc import Iterator

from governance.contract import Contract
from governance.lint.rule import Violation, rule


@rule(
    "clean-paths",
    6,
    see="Spectral path-keys-no-trailing-slash, path-not-include-query",
    fix="write segments, each after one slash",
)
def clean_paths(contract: Contract) -> Iterator[Violation]:
    for path, item in contract.root.at("paths").items():
        if not path.startswith("/") or "//" in path or "?" in path or "#" in path or (path.endswith("/") and path != "/"):
            yield Violation(item, f"{path} is not a plain path")
