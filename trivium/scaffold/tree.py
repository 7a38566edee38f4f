"""The tree that is written to: new files never replace one that is there, wiring adds lines where their like are."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path

from trivium import scaffold
from trivium.scaffold.words import CannotScaffold, filled

SUFFIX = ".tmpl"
_OURS = (
    "contracts", "experience_apis", "gateway", "governance", "kernel", "master_data", "process_apis", "sandbox", "system_apis",
    "tests", "trivium",
)  # fmt: skip
_IMPORT = re.compile(rf"^from ((?:{'|'.join(_OURS)})(?:\.\S+)?) import ", re.MULTILINE)


@dataclass
class Tree:
    """Changes are gathered and written together, or not at all."""

    root: Path
    changed: dict[Path, str] = field(default_factory=dict)

    def add(self, place: str, text: str) -> None:
        """Raises CannotScaffold where there is such a file already."""
        file = self.root / place
        if file.exists() or file in self.changed:
            raise CannotScaffold(f"{place} is there already")
        self.changed[file] = text

    def text(self, place: str) -> str:
        """As it will be. Raises CannotScaffold where there is no such file."""
        file = self.root / place
        if file in self.changed:
            return self.changed[file]
        try:
            return file.read_text(encoding="utf-8")
        except OSError:
            raise CannotScaffold(f"{place} is not in {self.root}: run this in the repository's root, or say --root") from None

    def replace(self, place: str, pattern: str, by: str) -> None:
        """At every place the pattern fits; Raises CannotScaffold where it fits nowhere."""
        text, count = re.subn(pattern, by, self.text(place), flags=re.MULTILINE)
        if not count:
            raise CannotScaffold(f"{place} is not as expected: nothing in it reads like {pattern}")
        self.changed[self.root / place] = text

    def imported(self, place: str, line: str) -> None:
        """An import of ours, among its like in the order of their modules."""
        text = self.text(place)
        if re.search(f"^{re.escape(line)}$", text, re.MULTILINE):
            return
        module = line.split()[1]
        found = list(_IMPORT.finditer(text))
        if not found:
            raise CannotScaffold(f"{place} imports nothing of ours")
        later = next((one for one in found if one[1] > module), None)
        at = later.start() if later else text.index("\n", _end(text, found[-1].end())) + 1
        self.changed[self.root / place] = f"{text[:at]}{line}\n{text[at:]}"

    def copy(self, kind: str, known: Mapping[str, str]) -> None:
        """Every template of a kind; words in paths are filled in too."""
        folder = resources.files(scaffold) / "templates" / kind
        for place, template in _below(folder, ""):
            self.add(filled(place.removesuffix(SUFFIX), known), filled(template, known))

    def write(self) -> list[Path]:
        for file, text in self.changed.items():
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
        return sorted(self.changed)


def _end(text: str, after: int) -> int:
    """Where an import ends whose names may stand in parentheses."""
    return text.index(")", after) if text[after] == "(" else after


def _below(folder: Traversable, above: str) -> list[tuple[str, str]]:
    found = []
    for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
        place = f"{above}{entry.name}"
        if entry.is_dir():
            found += _below(entry, f"{place}/")
        elif entry.name.endswith(SUFFIX):
            found.append((place, entry.read_text(encoding="utf-8")))
    return found
