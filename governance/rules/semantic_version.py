"""The version is a semantic one, and its major is the one in the paths."""

import re
from collections.abc import Iterator

from governance.changes.version import numbers
from governance.contract import Contract
from governance.lint.rule import Violation, rule

_MAJOR = re.compile(r"/v([0-9]+)(?:/|$)", re.ASCII)


@rule("semantic-version", 13, see="semver.org; Zalando 116", fix="write major.minor.patch, and the same major in the paths")
def semantic_version(contract: Contract) -> Iterator[Violation]:
    found = numbers(contract.version)
    if found is None:
        yield Violation(contract.info, f"{contract.version or 'nothing'} is not a semantic version")
        return
    for path, item in contract.root.at("paths").items():
        major = _MAJOR.search(path)
        if major is not None and int(major[1]) != found[0]:
            yield Violation(item, f"{path} is of major {major[1]}, the contract is {contract.version}")
