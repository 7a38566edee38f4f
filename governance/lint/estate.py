"""A whole estate is linted on all cores: each file by itself, read and judged in the same process."""

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from datetime import date
from functools import partial
from pathlib import Path

from governance.collection import collect, files_below, open_contract
from governance.lint.configuration import Configuration
from governance.lint.engine import Finding, lint
from governance.node import Files
from governance.rules import RULES
from governance.source import Unreadable

ENOUGH = 24  # files for which starting processes pays


def lint_places(places: Sequence[str], configuration: Configuration, today: date) -> Iterator[Finding]:
    """What is found in files and folders, by file and line. Raises Unreadable."""
    for place in places:
        folder = Path(place)
        files = files_below(folder) if folder.is_dir() else []
        if len(files) < ENOUGH:
            yield from lint(collect(place).values(), RULES, configuration, today)
        else:
            yield from _shared_out(folder, files, configuration, today)


def _shared_out(folder: Path, files: list[Path], configuration: Configuration, today: date) -> Iterator[Finding]:
    judge = partial(_judge, folder, configuration=configuration, today=today)
    with ProcessPoolExecutor(max_workers=os.cpu_count()) as pool:
        judged = list(pool.map(judge, files, chunksize=max(1, len(files) // (8 * (os.cpu_count() or 1)))))
    if not any(found is not None for found in judged):
        raise Unreadable(f"{folder}: there is no contract below it")
    for found in judged:
        yield from found or ()


def _judge(folder: Path, file: Path, *, configuration: Configuration, today: date) -> list[Finding] | None:
    """None for a file that is part of a contract and none itself."""
    contract = open_contract(file, folder, Files(folder))
    return None if contract is None else list(lint([contract], RULES, configuration, today))
