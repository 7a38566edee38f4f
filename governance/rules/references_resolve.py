"""Every `$ref` leads somewhere: within the document, or into a file of the same tree."""

from collections.abc import Iterator

from governance.contract import Contract
from governance.lint.rule import Violation, rule
from governance.node import Unresolved


@rule("references-resolve", 2, see="Redocly no-unresolved-refs", fix="write what it refers to, or refer to what is there")
def references_resolve(contract: Contract) -> Iterator[Violation]:
    for node in contract.objects:
        if node.reference is not None:
            try:
                node.followed()
            except Unresolved as error:
                yield Violation(node.raw("$ref"), str(error))
