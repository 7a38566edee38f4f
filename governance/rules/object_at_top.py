"""A JSON body is an object, so that it can grow; never a bare array or value."""

from collections.abc import Iterator

from governance.changes.facts import Facts
from governance.contract import Contract
from governance.lint.rule import Violation, rule
from governance.node import Node


@rule("object-at-top", 27, see="Zalando 110", fix="wrap it: {items: [...]}")
def object_at_top(contract: Contract) -> Iterator[Violation]:
    known: dict[Node, bool] = {}
    for operation in (*contract.operations, *contract.webhooks):
        bodies = [operation.body] if operation.body is not None else []
        for holder in (*bodies, *operation.responses.values()):
            for media, said in holder.raw("content").items():
                if "json" in media and "schema" in said and not _is_object(said.at("schema"), known):
                    yield Violation(said.raw("schema"), f"{operation.name} has a body that is no object")


def _is_object(schema: Node, known: dict[Node, bool]) -> bool:
    if schema not in known:
        known[schema] = Facts.of([schema]).types == {"object"}
    return known[schema]
