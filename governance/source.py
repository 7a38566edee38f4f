"""A document as its file has it: parsed once, with the line of every place in it at hand when somebody asks."""

import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import ryaml
import yaml

Wire = Mapping[str, Any]


class Unreadable(ValueError):
    """A document cannot be read; the message says where and why."""


@dataclass(frozen=True, eq=False)
class Source:
    """One file. `name` is what people know it by; `path` is None for a document that came from elsewhere."""

    name: str
    text: str
    path: Path | None = None
    root: Any = field(init=False)
    targets: dict[str, Any] = field(init=False, default_factory=dict, repr=False)  # what references within lead to, once found

    def __post_init__(self) -> None:
        try:
            object.__setattr__(self, "root", parsed(self.text))
        except (ValueError, RecursionError) as error:
            raise Unreadable(f"{self.name}: {error}") from None

    @classmethod
    def read(cls, path: Path, name: str = "") -> "Source":
        try:
            return cls(name or path.name, path.read_text(encoding="utf-8"), path)
        except (OSError, UnicodeDecodeError) as error:
            raise Unreadable(f"{name or path}: {error}") from None

    def at(self, pointer: str) -> Any:
        """The value at a JSON pointer, no reference followed; None where there is none."""
        value = self.root
        for token in pointer.split("/")[1:]:
            name = unescaped(token)
            if isinstance(value, list):
                value = value[int(name)] if name.isascii() and name.isdigit() and int(name) < len(value) else None
            else:
                value = value.get(name) if isinstance(value, dict) else None
        return value

    def line(self, pointer: str) -> int:
        """The line, from 1, at which the value (or, where it has none, the nearest one around it) begins."""
        wanted = pointer
        while wanted not in self._lines and wanted:
            wanted = wanted.rpartition("/")[0]
        return self._lines.get(wanted, 1)

    @cached_property
    def _lines(self) -> dict[str, int]:
        node = yaml.compose(self.text, getattr(yaml, "CSafeLoader", yaml.SafeLoader))
        return dict(_lines(node)) if node is not None else {}


def parsed(text: str) -> Any:
    """YAML 1.2 or JSON: a date is a string, `no` is a word, a key said twice is refused, and so is a document that unfolds
    without end. Raises ValueError.
    """
    if text.startswith("{"):
        with suppress(ValueError):  # YAML in braces, then
            return json.loads(text)
    return ryaml.loads(text)  # type: ignore[attr-defined]  # it is typed, and does not say what it exports


def _lines(root: yaml.Node) -> Iterator[tuple[str, int]]:
    waiting: list[tuple[str, yaml.Node, int]] = [("", root, 0)]
    seen: set[int] = set()  # an anchor may be met on many ways; the first is where it is written
    while waiting:
        pointer, node, line = waiting.pop()
        yield pointer, line + 1
        if id(node) in seen:
            continue
        seen.add(id(node))
        if isinstance(node, yaml.MappingNode):
            waiting += [(f"{pointer}/{escaped(str(key.value))}", value, key.start_mark.line) for key, value in node.value]
        elif isinstance(node, yaml.SequenceNode):
            waiting += [(f"{pointer}/{index}", item, item.start_mark.line) for index, item in enumerate(node.value)]


def escaped(token: str) -> str:
    """One token of a JSON pointer, RFC 6901 section 3."""
    return token.replace("~", "~0").replace("/", "~1")


def unescaped(token: str) -> str:
    """RFC 6901 section 6: percent-decoded first, then ~1 and ~0."""
    return unquote(token).replace("~1", "/").replace("~0", "~")
