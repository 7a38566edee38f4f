"""Whether every document that fits some schemas fits another one too; if it cannot be shown, which keyword stands in the way.

Sound, not complete: no reason means that it is proved, and what cannot be decided is a reason that says so. Of a pair already
under way recursive schemas assume what is being shown.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from governance.changes import arrays, bounds, objects
from governance.changes.alike import Alike, bare
from governance.changes.facts import DISJUNCTIONS, Facts, TooManyConjuncts, conjuncts, keywords_of, widened
from governance.changes.finite import Trials
from governance.changes.reason import Change, Reason
from governance.node import Node

Path = tuple[str, ...]
MOST_SPLITS = 48  # branches of alternatives that are followed one by one, in one line of thought
DEEPEST = 60  # schemas within schemas
_OF_TYPE = {
    "string": ("minLength", "maxLength", "pattern"),
    "number": bounds.NUMERIC,
    "array": ("items", "prefixItems", "minItems", "maxItems", "uniqueItems", "contains"),
    "object": ("properties", "patternProperties", "additionalProperties", "required", "minProperties", "maxProperties",
               "propertyNames", "dependentRequired", "dependentSchemas"),
}  # fmt: skip
APPLIES = {
    keyword: frozenset({kind, "integer"} if kind == "number" else {kind}) for kind, all_ in _OF_TYPE.items() for keyword in all_
}
WITH_ITS_SIBLINGS = frozenset({"additionalProperties", "items", "if", "then", "else", "contains", "unevaluatedProperties",
                               "unevaluatedItems", "minContains", "maxContains"})  # fmt: skip
FORMATS_WITHIN = frozenset({("int32", "int64"), ("float", "double"), ("uri", "uri-reference"), ("iri", "iri-reference")})


@dataclass
class Proof:
    """One comparison of two documents. `ignored`: the annotation of members that are not part of it (readOnly, writeOnly)."""

    alike: Alike = field(default_factory=Alike)
    trials: Trials = field(default_factory=Trials)
    ignored: str = ""
    _assumed: set[tuple[frozenset[Node], Node]] = field(default_factory=set)
    _open: set[tuple[frozenset[Node], Node]] = field(default_factory=set)  # goals under way about the same value
    _splits: int = MOST_SPLITS
    _depth: int = 0

    def implies(self, given: Sequence[Node], goal: Node, path: Path = ()) -> list[Reason]:
        """Why not every document that fits all of `given` fits `goal`; nothing where each does."""
        pair = (frozenset(map(bare, given)), bare(goal))
        if pair in self._assumed or any(self.alike(node, goal) for node in given):
            return []
        if self._depth >= DEEPEST:
            return [Reason("depth", Change.UNDECIDED, path, None, goal)]
        self._assumed.add(pair)
        about, self._open = self._open, set()  # assumptions are about parts of a value, never about the value itself
        self._depth += 1
        try:
            found = self.follows(Facts.of(given), goal, path)
        except TooManyConjuncts:
            found = [Reason("allOf", Change.UNDECIDED, path, None, goal)]
        finally:
            self._depth, self._open = self._depth - 1, about
        if found:  # what failed must not be assumed again
            self._assumed.discard(pair)
        return found

    def follows(self, facts: Facts, goal: Node, path: Path) -> list[Reason]:
        """The same, of facts."""
        step = (facts.settled, goal)
        if facts.impossible:
            return []
        if step in self._open:
            return [Reason("$ref", Change.UNDECIDED, path, None, goal)]
        self._open.add(step)
        try:
            return self._followed(facts, goal, path)
        finally:
            self._open.discard(step)

    def _followed(self, facts: Facts, goal: Node, path: Path) -> list[Reason]:
        listed = self.trials.finite(facts)
        if listed is not None:
            missing = tuple(value for value in listed if not self.trials.fits(value, goal))
            return [self._refused(facts, goal, missing, path)] if missing else []
        found = [reason for demand in conjuncts([goal]) for reason in self._demand(facts, demand, path)]
        return self._case_by_case(facts, goal, path, found) if found else []

    def _demand(self, facts: Facts, demand: Node, path: Path) -> Iterator[Reason]:
        if demand.value is False:
            yield Reason("false", Change.TIGHTENED, path, facts.nodes[0], demand)
            return
        for keyword, said in keywords_of(demand):
            if keyword in APPLIES and not facts.types & APPLIES[keyword]:
                continue
            same = keyword not in WITH_ITS_SIBLINGS and any(self.alike(one, said) for one in facts.all(keyword))
            if not same:
                yield from CHECKS.get(keyword, _unknown)(self, facts, said, demand, path)

    def _case_by_case(self, facts: Facts, goal: Node, path: Path, found: list[Reason]) -> list[Reason]:
        """Where the whole does not imply the goal, each of its alternatives may."""
        for alternatives in (said for keyword in DISJUNCTIONS for said in facts.all(keyword)):
            branches = list(alternatives.elements())
            if not branches or len(branches) > self._splits:
                continue
            self._splits -= len(branches)
            failing = [one for branch in branches for one in self.follows(facts.chosen(alternatives, branch), goal, path)]
            self._splits += len(branches)
            return failing
        return found

    def _refused(self, facts: Facts, goal: Node, missing: tuple[object, ...], path: Path) -> Reason:
        """Some of a closed list of values do not fit: said by the keyword that is about values, or about their type."""
        given = next(iter((*facts.all("enum"), *facts.all("const"), *facts.all("type"))), None)
        about = {keyword: said for demand in conjuncts([goal]) for keyword, said in keywords_of(demand)}
        if "type" in about and not facts.types <= widened(about["type"]):
            return Reason("type", Change.TIGHTENED, path, given, about["type"], values=missing)
        wanted = about.get("enum") or about.get("const") or goal
        return Reason("const" if "const" in about else "enum", Change.TIGHTENED, path, given, wanted, values=missing)

    def disjoint(self, one: Facts, other: Node) -> bool:
        """Whether surely no document fits both."""
        both = Facts.of((*one.nodes, other), one.settled)
        if both.impossible or self.trials.finite(both) == []:
            return True
        if both.types != {"object"}:
            return False
        return any(self._contradicted(both, name) for name in both.required)

    def _contradicted(self, both: Facts, name: str) -> bool:
        schemas = objects.named(both, name)
        facts = Facts.of(schemas)
        return bool(schemas) and (facts.impossible or self.trials.finite(facts) == [])


Check = Callable[[Proof, Facts, Node, Node, Path], Iterator[Reason]]


def _first(facts: Facts, keyword: str) -> Node | None:
    return next(iter(facts.all(keyword)), None)


def _unmet(keyword: str, facts: Facts, said: Node, path: Path, *, undecided: bool = False) -> Reason:
    given = _first(facts, keyword)
    change = Change.UNDECIDED if undecided else Change.ADDED if given is None else Change.TIGHTENED
    return Reason(keyword, change, path, given, said)


def _type(proof: Proof, facts: Facts, said: Node, demand: Node, path: Path) -> Iterator[Reason]:
    if not facts.types <= widened(said):
        yield _unmet("type", facts, said, path)


def _value(proof: Proof, facts: Facts, said: Node, demand: Node, path: Path) -> Iterator[Reason]:
    yield Reason(said.key, Change.ADDED, path, None, said)  # a finite side is tried value by value and never comes here


def _bound(proof: Proof, facts: Facts, said: Node, demand: Node, path: Path) -> Iterator[Reason]:
    if not bounds.met(said.key, facts, said.value):
        yield _unmet(said.key, facts, said, path)


def _pattern(proof: Proof, facts: Facts, said: Node, demand: Node, path: Path) -> Iterator[Reason]:
    yield _unmet("pattern", facts, said, path, undecided=facts.has("pattern"))


def _format(proof: Proof, facts: Facts, said: Node, demand: Node, path: Path) -> Iterator[Reason]:
    numeric = said.value in ("int32", "int64", "float", "double")
    relevant = facts.types & ({"integer", "number"} if numeric else {"string"})
    if relevant and not any((one.value, said.value) in FORMATS_WITHIN for one in facts.all("format")):
        yield _unmet("format", facts, said, path)


def _unique(proof: Proof, facts: Facts, said: Node, demand: Node, path: Path) -> Iterator[Reason]:
    if said.value is True and not bounds.at_most_one(facts):
        yield _unmet("uniqueItems", facts, said, path)


def _some_branch(proof: Proof, facts: Facts, said: Node, demand: Node, path: Path) -> Iterator[Reason]:
    """anyOf: one branch must follow; oneOf: and it must shut out all the others."""
    branches = list(said.elements())
    for branch in branches:
        if not proof.follows(facts, branch, path):
            others = [other for other in branches if other is not branch] if said.key == "oneOf" else []
            if all(proof.disjoint(facts, other) for other in others):
                return
    meant = [branch for branch in branches if Facts.of([branch]).types & facts.types]
    if len(meant) == 1:  # the only form it can have: say what is wrong with that
        yield from proof.follows(facts, meant[0], path)
    else:
        yield _unmet(said.key, facts, said, path)


def _not(proof: Proof, facts: Facts, said: Node, demand: Node, path: Path) -> Iterator[Reason]:
    if not proof.disjoint(facts, said):
        yield _unmet("not", facts, said, path, undecided=True)


def _unknown(proof: Proof, facts: Facts, said: Node, demand: Node, path: Path) -> Iterator[Reason]:
    """A keyword about which nothing is known here, or that means something only together with others."""
    keyword = said.key
    if keyword in ("then", "else", "minContains", "maxContains"):
        return  # they belong to `if` and `contains`
    if keyword.startswith("unevaluated") or not any(_together(proof, one, demand) for one in facts.conjuncts):
        yield _unmet(keyword, facts, said, path, undecided=True)


def _together(proof: Proof, one: Node, demand: Node) -> bool:
    """Whether one conjunct of what is given says all that the demand says."""
    names = {name for name, _ in keywords_of(demand)}
    return bool(names) and all(name in one and proof.alike(one.raw(name), demand.raw(name)) for name in names)


CHECKS: dict[str, Check] = {
    "type": _type,
    "enum": _value,
    "const": _value,
    **dict.fromkeys((*bounds.LOWER, *bounds.UPPER, *bounds.NUMERIC), _bound),
    "pattern": _pattern,
    "format": _format,
    "uniqueItems": _unique,
    "anyOf": _some_branch,
    "oneOf": _some_branch,
    "not": _not,
    "items": arrays.demand_on_items,
    "prefixItems": arrays.demand_on_prefix,
    "properties": objects.demand_on_members,
    "patternProperties": objects.demand_on_patterns,
    "additionalProperties": objects.demand_on_the_rest,
    "required": objects.demand_on_presence,
}
