"""A document in several files becomes one: what a reference into another file leads to is given a name in it.

Nothing is fetched, and no file outside the document's own folder is asked for: whoever wrote it is not us.
"""

import json
import re
from collections.abc import Callable
from posixpath import basename, dirname, join, normpath, relpath, splitext
from typing import Any
from urllib.parse import unquote

import yaml

from gateway.contracts import BadContract, parse

MOST_FILES, LARGEST, MOST_NODES = 500, 50_000_000, 5_000_000  # files, their characters, and values in the result
_STRANGE = re.compile(r"[^A-Za-z0-9]+")
_HOME = "#/components/schemas/"
Read = Callable[[str], str]  # the text of a file, by its name; raises OSError or ValueError


def bundled(name: str, read: Read) -> dict[str, Any]:
    """The document with every reference leading into its own components. Raises BadContract."""
    return _bundle(name, read)[0]


def files_of(name: str, read: Read) -> dict[str, str]:
    """Every file that the document is made of, by name. Raises BadContract."""
    return _bundle(name, read)[1]


def _bundle(name: str, read: Read) -> tuple[dict[str, Any], dict[str, str]]:
    bundle = _Bundle(normpath(name), read)
    try:
        document = bundle.whole()
    except RecursionError:
        raise BadContract("it is nested too deeply, or an alias in it contains itself") from None
    return document, bundle.texts


class _Bundle:
    def __init__(self, root: str, read: Read) -> None:
        self._root, self._read, self._folder = root, read, dirname(root)
        self.texts: dict[str, str] = {}
        self._parsed: dict[str, Any] = {}
        self._names: dict[tuple[str, str], str] = {}
        self._waiting: list[tuple[str, str]] = []
        self._nodes = 0

    def whole(self) -> dict[str, Any]:
        document = self._copy(self._document(self._root), self._root)
        if not isinstance(document, dict):
            raise BadContract("it is not an OpenAPI document with info and paths")
        named: dict[str, Any] = {}
        while self._waiting:
            place = self._waiting.pop()
            named[self._names[place]] = self._copy(self._at(*place), place[0])
        if named:
            components = document.setdefault("components", {})
            components["schemas"] = {**components.get("schemas", {}), **named}
        return document

    def _copy(self, value: Any, base: str) -> Any:
        self._nodes += 1
        if self._nodes > MOST_NODES:
            raise BadContract(f"it has more than {MOST_NODES} values once its aliases are written out")
        match value:
            case dict():
                return {name: self._inner(name, inner, base) for name, inner in value.items()}
            case list():
                return [self._copy(inner, base) for inner in value]
            case _:
                return value

    def _inner(self, name: Any, value: Any, base: str) -> Any:
        return self._reference(value, base) if name == "$ref" and isinstance(value, str) else self._copy(value, base)

    def _reference(self, text: str, base: str) -> str:
        said, _, pointer = text.partition("#")
        if "://" in said:
            raise BadContract(f"{text} leads to another host; put that document beside this one")
        file = normpath(join(dirname(base), unquote(said))) if said else base
        if file == self._root and (pointer.startswith("/components/") or not pointer.startswith("/")):
            return f"#{pointer}"
        place = (file, pointer)
        if place not in self._names:
            self._names[place] = self._name(file, pointer)
            self._waiting.append(place)
        return _HOME + self._names[place]

    def _name(self, file: str, pointer: str) -> str:
        own = self._document(self._root).get("components", {}).get("schemas", {})
        base = _STRANGE.sub("_", f"{splitext(basename(file))[0]}_{pointer}").strip("_")
        taken, number = {*own, *self._names.values()}, 1
        name = base
        while name in taken:
            number += 1
            name = f"{base}_{number}"
        return name

    def _at(self, file: str, pointer: str) -> Any:
        value = self._document(file)
        for part in pointer.split("/")[1:]:
            name = unquote(part).replace("~1", "/").replace("~0", "~")
            if isinstance(value, list) and name.isdecimal() and int(name) < len(value):
                value = value[int(name)]
            elif isinstance(value, dict) and name in value:
                value = value[name]
            else:
                raise BadContract(f"{file}#{pointer} refers to nothing")
        return value

    def _document(self, file: str) -> Any:
        if file not in self._parsed:
            if relpath(file, self._folder or ".").startswith(".."):
                raise BadContract(f"{file} is outside the folder of {self._root}")
            self._parsed[file] = self._taken(file)
        return self._parsed[file]

    def _taken(self, file: str) -> Any:
        try:
            self.texts[file] = text = self._read(file)
            if sum(map(len, self.texts.values())) > LARGEST or len(self.texts) > MOST_FILES:
                raise BadContract(f"it is more than {MOST_FILES} files or {LARGEST} characters")
            return json.loads(text) if file.endswith(".json") else parse(text)
        except (OSError, ValueError, yaml.YAMLError) as error:
            if isinstance(error, BadContract):
                raise
            raise BadContract(f"{file} cannot be read: {error}") from None
