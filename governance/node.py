"""A value of a document that knows where it stands: whoever walks contracts never loses the place of what it finds."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

from governance.source import Source, Unreadable, escaped, unescaped

MOST_FOLLOWED = 64  # references in a row


class Unresolved(ValueError):
    """A reference leads nowhere, out of what may be read, or round in a circle."""


class Library(Protocol):
    """Where documents are found by name; each is read once."""

    def open(self, reference: str, base: Source) -> Source:
        """The document that `reference` (the part before '#') names in `base`. Raises Unresolved."""


class Files:
    """Documents on disk, at or below `root`: a contract does not reach beyond its own tree."""

    def __init__(self, root: Path) -> None:
        self._root, self._known = root.resolve(), dict[Path, Source]()

    def add(self, source: Source) -> Source:
        if source.path is not None:
            self._known.setdefault(source.path.resolve(), source)
        return source

    def open(self, reference: str, base: Source) -> Source:
        if base.path is None or "://" in reference:
            raise Unresolved(f"{reference} is not a file beside {base.name}")
        path = (base.path.parent / unescaped(reference)).resolve()
        if not path.is_relative_to(self._root):
            raise Unresolved(f"{reference} leads out of {self._root.name}")
        if path not in self._known:
            try:
                self._known[path] = Source.read(path, str(path.relative_to(self._root)))
            except Unreadable as error:
                raise Unresolved(f"{reference} cannot be read: {error}") from None
        return self._known[path]


class Node:
    """A value with its document and its place. Two nodes are the same when they stand at the same place."""

    __slots__ = ("_name", "_parent", "library", "source", "value")

    def __init__(self, value: Any, source: Source, library: Library, parent: "Node | None" = None, name: str | int = "") -> None:
        self.value, self.source, self.library = value, source, library
        self._parent, self._name = parent, name

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Node) and self._place == other._place

    def __hash__(self) -> int:
        return hash(self._place)

    @property
    def _place(self) -> tuple[int, str | int]:
        parent = self._parent
        return (id(self.source), "") if parent is None else (id(parent.value), self._name)

    @property
    def pointer(self) -> str:
        """RFC 6901."""
        names, node = [], self
        while node._parent is not None:
            names.append(escaped(str(node._name)))
            node = node._parent
        return "".join(f"/{name}" for name in reversed(names))

    def other(self, value: Any, name: str = "") -> "Node":
        """Another value in the place of this one, or beside it under a name of its own: what it would say in other words."""
        return Node(value, self.source, self.library, self._parent, name or self._name)

    @property
    def line(self) -> int:
        return self.source.line(self.pointer)

    @property
    def key(self) -> str:
        """The name under which this stands: the last token of its pointer."""
        return str(self._name)

    def __contains__(self, name: str) -> bool:
        return isinstance(self.value, dict) and name in self.value

    def raw(self, name: str | int) -> "Node":
        """The child as it stands; a node of None where there is none."""
        value, found = self.value, None
        if isinstance(value, dict):
            found = value.get(name)
        elif isinstance(value, list) and isinstance(name, int) and 0 <= name < len(value):
            found = value[name]
        return Node(found, self.source, self.library, self, name)

    def at(self, *names: str | int) -> "Node":
        """The descendant, references followed on the way and at its end; a node of None where there is none."""
        node = self
        for name in names:
            node = node.followed().raw(name)
        return node.followed()

    def get(self, name: str, default: Any = None) -> Any:
        """The value of a child, references not followed."""
        return self.value.get(name, default) if isinstance(self.value, dict) else default

    def items(self) -> Iterator[tuple[str, "Node"]]:
        """The members of an object, as they stand."""
        if isinstance(self.value, dict):
            for name, value in self.value.items():
                yield str(name), Node(value, self.source, self.library, self, name)

    def elements(self) -> Iterator["Node"]:
        """The elements of an array, as they stand."""
        if isinstance(self.value, list):
            for index, value in enumerate(self.value):
                yield Node(value, self.source, self.library, self, index)

    @property
    def reference(self) -> str | None:
        found = self.get("$ref")
        return found if isinstance(found, str) else None

    def followed(self) -> "Node":
        """What this is, or what it refers to. Raises Unresolved. Siblings of `$ref` are the business of who asks for them."""
        if not isinstance(self.value, dict) or "$ref" not in self.value:
            return self
        node, seen = self, 0
        while node.reference is not None:
            seen += 1
            if seen > MOST_FOLLOWED:
                raise Unresolved(f"{self.reference} refers to itself")
            node = node.target()
        return node

    def target(self) -> "Node":
        """What the reference of this node leads to, in one step. Raises Unresolved."""
        reference = self.reference or ""
        known = self.source.targets
        if reference not in known:
            known[reference] = self._found(reference)
        found: Node = known[reference]
        return found

    def _found(self, reference: str) -> "Node":
        name, _, fragment = reference.partition("#")
        source = self.library.open(name, self.source) if name else self.source
        node = Node(source.root, source, self.library)
        for token in fragment.split("/")[1:] if fragment else ():
            found = unescaped(token)
            step = node.raw(int(found) if isinstance(node.value, list) and found.isascii() and found.isdigit() else found)
            if step.value is None:
                raise Unresolved(f"{reference} refers to nothing")
            node = step
        return node


class Alone:
    """A library without books: for a document that must stand by itself."""

    def open(self, reference: str, base: Source) -> Source:
        raise Unresolved(f"{reference} refers outside {base.name}")
