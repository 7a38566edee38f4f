"""What schemas say of the elements of an array, place by place, and whether that meets what another one demands of them."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from governance.changes import bounds
from governance.changes.facts import Facts
from governance.changes.reason import Change, Reason
from governance.node import Node

if TYPE_CHECKING:
    from governance.changes.implication import Path, Proof


def demand_on_items(proof: "Proof", facts: Facts, said: Node, demand: Node, path: "Path") -> Iterator[Reason]:
    """`items`: every element after those that the demand has places for."""
    if said.value is True or said.value == {}:
        return
    first = len(list(demand.raw("prefixItems").elements()))
    for index in range(first, max(first, _places(facts)) + 1):
        if bounds.most_items(facts) is not None and index >= (bounds.most_items(facts) or 0):
            return
        yield from _element(proof, facts, index, said, path)


def demand_on_prefix(proof: "Proof", facts: Facts, said: Node, demand: Node, path: "Path") -> Iterator[Reason]:
    """`prefixItems`: each element by its place."""
    most = bounds.most_items(facts)
    for index, wanted in enumerate(said.elements()):
        if most is None or index < most:
            yield from _element(proof, facts, index, wanted, path)


def _element(proof: "Proof", facts: Facts, index: int, wanted: Node, path: "Path") -> Iterator[Reason]:
    given = _at(facts, index)
    if wanted.value is True or wanted.value == {}:
        return
    if given:
        yield from proof.implies(given, wanted, (*path, "[]"))
    else:
        yield Reason("items", Change.ADDED, (*path, "[]"), None, wanted)


def _places(facts: Facts) -> int:
    return max((len(list(said.elements())) for said in facts.all("prefixItems")), default=0)


def _at(facts: Facts, index: int) -> list[Node]:
    """Every schema for the element at a place."""
    found = []
    for conjunct in facts.conjuncts:
        prefix = list(conjunct.raw("prefixItems").elements())
        if index < len(prefix):
            found.append(prefix[index])
        elif isinstance(conjunct.get("items"), dict | bool):
            found.append(conjunct.raw("items"))
    return found
