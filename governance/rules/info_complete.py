"""A contract says what it is called, what it is for, whom to ask and under which licence."""

from collections.abc import Iterator

from governance.contract import Contract
from governance.lint.rule import Violation, rule

_WANTED = (("title",), ("description",), ("contact", "name"), ("license", "name"))


@rule("info-complete", 12, see="Spectral info-contact, info-description, info-license", fix="write it in info")
def info_complete(contract: Contract) -> Iterator[Violation]:
    for path in _WANTED:
        said = contract.info.at(*path).value
        if not isinstance(said, str) or not said.strip():
            yield Violation(contract.info, f"info says no {' '.join(path)}")
