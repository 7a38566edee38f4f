"""What schemas say of the members of an object, name by name, and whether that meets what another one demands of them."""

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from governance.changes.facts import Facts
from governance.changes.reason import Change, Reason
from governance.node import Node

if TYPE_CHECKING:
    from governance.changes.implication import Path, Proof


def named(facts: Facts, name: str) -> list[Node]:
    """Every schema for the member of this name; none: it may be anything."""
    return [schema for conjunct in facts.conjuncts for schema in _of_conjunct(conjunct, name)]


def unnamed(facts: Facts) -> list[Node]:
    """Every schema for a member that nothing names. A conjunct with patterns only speaks of what they do not match."""
    return [
        conjunct.raw("additionalProperties")
        for conjunct in facts.conjuncts
        if "additionalProperties" in conjunct and not conjunct.get("patternProperties")
    ]


def demand_on_members(proof: "Proof", facts: Facts, said: Node, demand: Node, path: "Path") -> Iterator[Reason]:
    """`properties`"""
    for name, wanted in said.items():
        given = named(facts, name)
        if wanted.value is True or wanted.value == {} or _left_out(proof, [*given, wanted]):
            continue
        if not given:
            yield Reason("properties", Change.UNCONSTRAINED, (*path, name), None, wanted, name)
        elif wanted.value is False:
            if not Facts.of(given).impossible:
                yield Reason("additionalProperties", Change.CLOSED, (*path, name), given[0], wanted, name)
        else:
            yield from proof.implies(given, wanted, (*path, name))


def demand_on_patterns(proof: "Proof", facts: Facts, said: Node, demand: Node, path: "Path") -> Iterator[Reason]:
    """`patternProperties`: each pattern must be one of the other side's, or nothing unnamed may be there."""
    for pattern, wanted in said.items():
        for name in sorted(_names(facts)):
            if matches(pattern, name):
                yield from proof.implies(named(facts, name), wanted, (*path, name))
        same = [schema for found in facts.all("patternProperties") for other, schema in found.items() if other == pattern]
        given = [*same, *unnamed(facts)]
        others = any(other != pattern for found in facts.all("patternProperties") for other, _ in found.items())
        if others or not given:
            yield Reason("patternProperties", Change.UNDECIDED, (*path, "{}"), None, wanted)
        else:
            yield from proof.implies(same or given, wanted, (*path, "{}"))


def demand_on_the_rest(proof: "Proof", facts: Facts, said: Node, demand: Node, path: "Path") -> Iterator[Reason]:
    """`additionalProperties`: what the demanding side does not name."""
    if said.value is True or said.value == {}:
        return
    patterns = [pattern for pattern, _ in demand.raw("patternProperties").items()]
    for name in sorted(_names(facts)):
        if name in demand.raw("properties") or any(_surely(pattern, name) for pattern in patterns):
            continue
        given = named(facts, name)
        if Facts.of(given).impossible or _left_out(proof, given):
            continue
        if said.value is False:
            yield Reason("additionalProperties", Change.CLOSED, (*path, name), given[0] if given else None, said, name)
        else:
            yield from proof.implies(given, said, (*path, name))
    yield from _patterned(proof, facts, said, patterns, path)
    yield from _others(proof, facts, said, path)


def _patterned(proof: "Proof", facts: Facts, said: Node, patterns: list[str], path: "Path") -> Iterator[Reason]:
    for found in facts.all("patternProperties"):
        for pattern, schema in found.items():
            if pattern not in patterns and schema.value is not False:
                yield from proof.implies([schema], said, (*path, "{}"))


def _others(proof: "Proof", facts: Facts, said: Node, path: "Path") -> Iterator[Reason]:
    given = unnamed(facts)
    if given:
        yield from proof.implies(given, said, (*path, "{}"))
    elif not _all_closed_but_patterns(facts):
        change = Change.CLOSED if said.value is False else Change.ADDED
        yield Reason("additionalProperties", change, (*path, "{}"), None, said)


def _all_closed_but_patterns(facts: Facts) -> bool:
    """Whether a conjunct with patterns shuts out whatever they do not match; those they match are looked at one by one."""
    return any(conjunct.get("additionalProperties") is False for conjunct in facts.conjuncts)


def demand_on_presence(proof: "Proof", facts: Facts, said: Node, demand: Node, path: "Path") -> Iterator[Reason]:
    """`required`"""
    if not isinstance(said.value, list):
        return
    for name in said.value:
        if isinstance(name, str) and name not in facts.required and not _left_out(proof, _both(facts, demand, name)):
            given = next((schema for schema in named(facts, name) if schema.value is not False), None)
            yield Reason("required", Change.ADDED, (*path, name), given, said, name)


def _both(facts: Facts, demand: Node, name: str) -> list[Node]:
    return [*named(facts, name), demand.raw("properties").raw(name)]


def _left_out(proof: "Proof", schemas: list[Node]) -> bool:
    """Whether a member is not part of this comparison: nobody sends what is read-only."""
    return bool(proof.ignored) and any(schema.get(proof.ignored) is True for schema in schemas)


def _names(facts: Facts) -> set[str]:
    return facts.properties() | facts.required


def _of_conjunct(conjunct: Node, name: str) -> Iterator[Node]:
    properties = conjunct.raw("properties")
    known = name in properties
    if known:
        yield properties.raw(name)
    for pattern, schema in conjunct.raw("patternProperties").items():
        if _surely(pattern, name):
            known = True
            yield schema
        elif matches(pattern, name):
            known = True  # it may be one of these: then nothing is sure about it
    if not known and "additionalProperties" in conjunct:
        yield conjunct.raw("additionalProperties")


def matches(pattern: str, name: str) -> bool:
    """Whether a pattern may match a name: one that cannot be read here may."""
    try:
        return re.search(pattern, name) is not None
    except re.error:
        return True


def _surely(pattern: str, name: str) -> bool:
    try:
        return re.search(pattern, name) is not None
    except re.error:
        return False
