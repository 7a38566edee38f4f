"""Operations and how a request finds its one: a tree of path segments, literal before parameter."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from sandbox.stripe.account import Call
from sandbox.stripe.parameters import Shape
from sandbox.stripe.wire import Wire

Handler = Callable[[Call], Wire]


@dataclass(frozen=True)
class Operation:
    """One endpoint: what it takes and what it does. The path's last parts in braces name path parameters."""

    method: str
    path: str
    handler: Handler
    shape: Shape


@dataclass
class _Node:
    children: "dict[str, _Node]" = field(default_factory=dict)
    parameter: "_Node | None" = None
    operations: dict[str, Operation] = field(default_factory=dict)


class Router:
    """Finds the operation of a method and a path."""

    def __init__(self, operations: Iterable[Operation]) -> None:
        self.root = _Node()
        for operation in operations:
            node = self.root
            for segment in operation.path.split("/")[1:]:
                if segment.startswith("{"):
                    node.parameter = node.parameter or _Node()
                    node = node.parameter
                else:
                    node = node.children.setdefault(segment, _Node())
            node.operations[operation.method] = operation

    def find(self, method: str, path: str) -> tuple[Operation, dict[str, str]] | None:
        node, given = self.root, []
        for segment in path.split("/")[1:]:
            child = node.children.get(segment)
            if child is None:
                if node.parameter is None or not segment:
                    return None
                child = node.parameter
                given.append(segment)
            node = child
        operation = node.operations.get(method)
        if operation is None:
            return None
        names = [s[1:-1] for s in operation.path.split("/") if s.startswith("{")]
        return operation, dict(zip(names, given, strict=True))
