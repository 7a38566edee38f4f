"""Why one schema does not imply another: the keyword that is not met, where, and what either side says."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from governance.node import Node


class Change(StrEnum):
    """What became of a demand, seen from the side that has to meet it."""

    ADDED = "added"  # nothing was said of it before
    TIGHTENED = "tightened"  # something weaker was said
    UNCONSTRAINED = "unconstrained"  # a property that could be anything must be something
    CLOSED = "closed"  # a property that was possible is not
    UNDECIDED = "undecided"  # it cannot be told


@dataclass(frozen=True)
class Reason:
    """`given` is the place on the side that should imply (None: it says nothing), `wanted` the keyword on the other side.

    `path` leads to the value: property names, `[]` for the elements of an array, `{}` for other members. `name`: the property
    that a demand on an object is about. `values`: those of a closed list that do not fit.
    """

    keyword: str
    change: Change
    path: tuple[str, ...]
    given: Node | None
    wanted: Node
    name: str = ""
    values: tuple[Any, ...] = ()
