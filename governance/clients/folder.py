"""A generated package is written whole: what an earlier one left behind goes, what somebody else put there stays untouched."""

from collections.abc import Mapping
from pathlib import Path

from governance.clients.failure import NoClient

MARK = ".generated"  # names every file of the package, one a line


def written(out: Path, files: Mapping[str, str]) -> list[Path]:
    """The files of a package, by their place below `out`. Raises NoClient where something else is in that folder."""
    mark = out / MARK
    known = mark.read_text(encoding="utf-8").splitlines() if mark.is_file() else []
    if not known and out.is_dir() and any(out.iterdir()):
        raise NoClient(f"{out} holds something else than a generated client: name an empty folder, or one that is not there")
    for name in set(known) - files.keys():
        place = (out / name).resolve()
        if place.is_relative_to(out.resolve()):
            place.unlink(missing_ok=True)
    for name, text in files.items():
        place = out / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text, encoding="utf-8", newline="\n")
    mark.write_text("".join(f"{name}\n" for name in sorted(files)), encoding="utf-8")
    return [out / name for name in sorted(files)]
