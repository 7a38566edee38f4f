"""GitHub workflow commands: each finding is shown at its line of the change that brought it."""

from collections.abc import Sequence

from governance.reports.entry import Entry

_COMMANDS = {"error": "error", "warning": "warning", "info": "notice"}


def github(entries: Sequence[Entry]) -> str:
    return "".join(_annotation(entry) for entry in entries)


def _annotation(entry: Entry) -> str:
    said = f"{entry.operation}: {entry.message}" if entry.operation else entry.message
    place = f"file={_property(entry.file)},line={entry.line},title={_property(entry.id)}"
    return f"::{_COMMANDS[entry.level]} {place}::{_data(f'{said}. {entry.fix}' if entry.fix else said)}\n"


def _data(value: str) -> str:
    return value.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(value: str) -> str:
    return _data(value).replace(":", "%3A").replace(",", "%2C")
