"""A changelog entry: what breaks, what to look out for, what is new, by operation."""

from collections.abc import Sequence
from itertools import groupby

from governance.reports.entry import Entry

_HEADINGS = {"error": "Breaking", "warning": "To look out for", "info": "New and changed"}


def markdown(entries: Sequence[Entry]) -> str:
    parts = [_section(heading, [entry for entry in entries if entry.level == level]) for level, heading in _HEADINGS.items()]
    return "\n".join(part for part in parts if part) or "Nothing changed for anybody.\n"


def _section(heading: str, entries: Sequence[Entry]) -> str:
    if not entries:
        return ""
    lines = [f"### {heading}", ""]
    for operation, found in groupby(sorted(entries, key=lambda entry: (entry.operation, entry.id)), key=lambda e: e.operation):
        lines.append(f"- **{operation or 'The contract'}**")
        lines += [f"  - {_escaped(entry.message)} (`{entry.id}`)" for entry in found]
    return "\n".join([*lines, ""])


def _escaped(text: str) -> str:
    return "".join(f"\\{letter}" if letter in "\\`*_[]<>" else letter for letter in text)
