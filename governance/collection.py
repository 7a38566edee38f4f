"""Contracts are found by where they are: a file, every file below a folder, or either as a revision of the repository has it."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

from governance.contract import Contract
from governance.node import Files
from governance.source import Source, Unreadable

SUFFIXES = (".yaml", ".yml", ".json")


def collect(place: str) -> dict[str, Contract]:
    """By name: the path below the folder, or the file's own name. Raises Unreadable.

    `place`: a path, or REVISION:path as git has it.
    """
    path = Path(place)
    if path.is_dir():
        return _below(path)
    if path.is_file():
        return {path.name: Contract.load(path)}
    revision, colon, inside = place.partition(":")
    if not colon or not revision or not inside:
        raise Unreadable(f"{place}: there is no such file or folder")
    return dict(_of_revision(revision, inside))


def files_below(folder: Path) -> list[Path]:
    return sorted(file for file in folder.rglob("*") if file.suffix in SUFFIXES)


def open_contract(file: Path, folder: Path, library: Files) -> Contract | None:
    """The contract in a file; None for one that others refer to and that is none itself."""
    source = library.add(Source.read(file, str(file.relative_to(folder))))
    known = isinstance(source.root, dict) and {"openapi", "asyncapi"} & source.root.keys()
    return Contract(source, library) if known else None


def _below(folder: Path) -> dict[str, Contract]:
    library = Files(folder)
    found = [contract for file in files_below(folder) if (contract := open_contract(file, folder, library)) is not None]
    if not found:
        raise Unreadable(f"{folder}: there is no contract below it")
    return {contract.name: contract for contract in found}


def _of_revision(revision: str, inside: str) -> Iterator[tuple[str, Contract]]:
    listed = _git("ls-tree", "-r", "--name-only", "-z", revision, "--", inside).split("\0")
    for name in listed:
        if name.endswith(SUFFIXES):
            text = _git("show", f"{revision}:{name}")
            below = name.removeprefix(inside.rstrip("/")).lstrip("/") or Path(name).name
            yield below, Contract(Source(below, text))


def _git(*arguments: str) -> str:
    try:
        done = subprocess.run(["git", *arguments], capture_output=True, text=True, check=False, timeout=30)  # noqa: S603, S607
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Unreadable(f"git cannot be asked: {error}") from None
    if done.returncode:
        raise Unreadable(done.stderr.strip() or f"git {arguments[0]} failed")
    return done.stdout
