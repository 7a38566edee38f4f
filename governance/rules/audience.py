"""A contract says for whom it is: internal, partner or public."""

from collections.abc import Iterator

from governance.changes.promises import AUDIENCES
from governance.contract import Contract
from governance.lint.rule import Violation, rule


@rule("audience", 15, see="Zalando 219", fix=f"say x-trivium-audience: one of {', '.join(AUDIENCES)}")
def audience(contract: Contract) -> Iterator[Violation]:
    if contract.audience not in AUDIENCES:
        yield Violation(contract.info, f"the audience is {contract.audience or 'not said'}")
