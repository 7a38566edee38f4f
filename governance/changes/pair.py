"""An operation of the old contract and the one that keeps its promise: same method, same path but for parameters' names."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from governance.contract import Operation

_PARAMETER = re.compile(r"\{[^{}/]*\}")


@dataclass(frozen=True)
class Pair:
    old: Operation
    new: Operation

    @property
    def name(self) -> str:
        return self.new.name

    def renamed(self, name: str) -> str:
        """What the new contract calls a path parameter of the old one."""
        names = dict(zip(self.old.path_names, self.new.path_names, strict=False))
        return names.get(name, name)


def shape(path: str) -> str:
    """The path without the names of its parameters: nobody who calls it sees those."""
    return _PARAMETER.sub("{}", path)


def pairs(old: Iterable[Operation], new: Iterable[Operation]) -> Iterator[Pair]:
    """Those that are on both sides."""
    by_place = {(operation.method, shape(operation.path)): operation for operation in new}
    for operation in old:
        found = by_place.get((operation.method, shape(operation.path)))
        if found is not None:
            yield Pair(operation, found)


def only(here: Iterable[Operation], there: Iterable[Operation]) -> list[Operation]:
    """Those of one side that the other does not have."""
    known = {(operation.method, shape(operation.path)) for operation in there}
    return [operation for operation in here if (operation.method, shape(operation.path)) not in known]
