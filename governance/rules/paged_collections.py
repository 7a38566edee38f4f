"""A collection comes in pages: by cursor, with a most per page."""

from collections.abc import Iterator

from governance.changes.facts import conjuncts
from governance.contract import Contract, Operation
from governance.lint.rule import Violation, rule
from governance.schemas import contents

_LISTS = ("items", "data", "results", "entries")


@rule(
    "paged-collections",
    40,
    see="Zalando 159, 160; Google AIP-158",
    fix="take cursor and limit (with a maximum), or bound the array",
)
def paged_collections(contract: Contract) -> Iterator[Violation]:
    for operation in contract.operations:
        if operation.method != "get" or not _unbounded_list(operation):
            continue
        query = {str(one.get("name")): one for one in operation.parameters if one.get("in") == "query"}
        if "cursor" not in query or "limit" not in query:
            yield Violation(operation.node, f"{operation.name} answers a list without end and cannot be paged")
        elif "maximum" not in query["limit"].at("schema"):
            yield Violation(query["limit"], f"{operation.name} has no most per page")


def _unbounded_list(operation: Operation) -> bool:
    for response in operation.successes.values():
        for schema in contents(response):
            for part in conjuncts([schema]):
                for name in _LISTS:
                    listed = part.at("properties", name)
                    if listed.get("type") == "array" and "maxItems" not in listed:
                        return True
    return False
