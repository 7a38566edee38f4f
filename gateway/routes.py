"""One matcher for every path: a tree of segments in which each path leads to at most one template, found in one step a segment.

Of several templates that fit a path the one with plain segments where the others have parameters wins; where none does in
every place the start is refused. The path is chosen before the method: a method that the chosen path lacks is a 405.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from gateway.contracts import BadContract
from gateway.pipeline import Forward, Operation

OVERLAP = "x-trivium-overlap"  # `refused`: paths that fit several templates of the document equally well are not promised
Shape = tuple[str | None, ...]  # None: a parameter


@dataclass(frozen=True, slots=True)
class Route:
    """One operation with its chain, and the segments its parameters are read from."""

    operation: Operation
    forward: Forward
    parameters: tuple[tuple[int, str], ...]

    def values(self, segments: Sequence[str]) -> dict[str, str]:
        return {name: segments[position] for position, name in self.parameters}


@dataclass(frozen=True, slots=True)
class Place:
    """One path: its routes by method (HEAD wherever GET is), and what Allow says."""

    shape: Shape
    methods: dict[str, Route]
    allow: str


@dataclass(slots=True)
class _Node:
    plain: dict[str, "_Node"] = field(default_factory=dict)
    parameter: "_Node | None" = None
    place: Place | None = None


class Router:
    """Built whole at start, never changed. Raises BadContract when two operations, or two paths, cannot be told apart."""

    def __init__(self, operations: Iterable[tuple[Operation, Forward]]) -> None:
        by_shape: dict[Shape, list[tuple[Operation, Forward]]] = {}
        for operation, forward in operations:
            by_shape.setdefault(shape(operation.path), []).append((operation, forward))
        self._root = _grow([_place(form, found) for form, found in by_shape.items()], 0)

    def find(self, segments: Sequence[str]) -> Place | None:
        node = self._root
        for segment in segments:
            following = node.plain.get(segment) or node.parameter
            if following is None:
                return None
            node = following
        return node.place


def shape(template: str) -> Shape:
    """`/a/{b}` is ("a", None)."""
    return tuple(None if part.startswith("{") else part for part in template[1:].split("/") if part)


def _place(form: Shape, found: Sequence[tuple[Operation, Forward]]) -> Place:
    methods: dict[str, Route] = {}
    for operation, forward in found:
        if operation.method in methods:
            other = methods[operation.method].operation
            both = f"{other.path} ({other.id}) and {operation.path} ({operation.id})"
            raise BadContract(f"{operation.method} {both} are the same path")
        names = enumerate(operation.path[1:].split("/"))
        parameters = tuple((position, part[1:-1]) for position, part in names if part.startswith("{"))
        methods[operation.method] = Route(operation, forward, parameters)
    if "GET" in methods:
        methods.setdefault("HEAD", methods["GET"])
    return Place(form, methods, ", ".join(sorted({*methods, "OPTIONS"})))


def _grow(places: Sequence[Place], depth: int) -> _Node:
    """The node for paths that fit all of these so far. A plain segment's branch also keeps the parameters' places, so that
    no search ever has to turn back."""
    plain: dict[str, list[Place]] = {}
    open_: list[Place] = []
    ending: list[Place] = []
    for place in places:
        if len(place.shape) == depth:
            ending.append(place)
        elif (segment := place.shape[depth]) is None:
            open_.append(place)
        else:
            plain.setdefault(segment, []).append(place)
    return _Node(
        {segment: _grow([*found, *open_], depth + 1) for segment, found in plain.items()},
        _grow(open_, depth + 1) if open_ else None,
        _most_specific(ending) if ending else None,
    )


def _most_specific(places: Sequence[Place]) -> Place | None:
    """None where nobody promises to tell them apart: such paths lead nowhere."""
    for place in places:
        if all(_within(place.shape, other.shape) for other in places):
            return place
    routes = [route for place in places for route in place.methods.values()]
    if all(route.operation.extensions.get(OVERLAP) == "refused" for route in routes):
        return None
    names = sorted(next(iter(place.methods.values())).operation.path for place in places)
    raise BadContract(f"some paths fit each of {', '.join(names)} and none of these is the more specific")


def overlapping(templates: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Pairs of templates that some path fits, neither being the more specific."""
    by_length: dict[int, list[tuple[str, Shape]]] = {}
    for template in templates:
        form = shape(template)
        for other, theirs in by_length.setdefault(len(form), []):
            pairs = list(zip(form, theirs, strict=True))
            meet = all(one is None or two is None or one == two for one, two in pairs)
            if meet and not _within(form, theirs) and not _within(theirs, form):
                yield other, template
        by_length[len(form)].append((template, form))


def _within(narrow: Shape, wide: Shape) -> bool:
    return all(theirs is None or ours == theirs for ours, theirs in zip(narrow, wide, strict=True))
