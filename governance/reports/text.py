"""For people at a terminal: file by file, what is wrong on which line, and what to do about it."""

import io
from collections import Counter
from collections.abc import Sequence
from itertools import groupby

from rich.console import Console
from rich.text import Text

from governance.reports.entry import Entry

_STYLE = {"error": "bold red", "warning": "yellow", "info": "cyan"}


def text(entries: Sequence[Entry], *, color: bool = False, width: int = 130) -> str:
    written = io.StringIO()
    console = Console(
        file=written, force_terminal=color, color_system="standard" if color else None, width=width, highlight=False
    )
    for file, found in groupby(entries, key=lambda entry: entry.file):
        console.print(Text(file, style="bold underline"))
        for entry in found:
            console.print(_line(entry), soft_wrap=True)
    console.print(Text(summary(entries)))
    return written.getvalue()


def summary(entries: Sequence[Entry]) -> str:
    """3 errors, 1 warning"""
    counts = Counter(entry.level for entry in entries)
    said = [f"{counts[level]} {level}{'s' * (counts[level] != 1 and level != 'info')}" for level in _STYLE if counts[level]]
    return ", ".join(said) or "nothing found"


def _line(entry: Entry) -> Text:
    line = Text(f"  {entry.line:>5}  ")
    line.append(f"{entry.level:<8}", _STYLE.get(entry.level, ""))
    line.append(f"{entry.operation}: " if entry.operation else "", "dim")
    line.append(entry.message)
    line.append(f"  [{entry.id}]", "dim")
    if entry.was:
        line.append(f"  was {entry.was}", "dim")
    if entry.fix:
        line.append(f"\n         → {entry.fix}", "green")
    return line
