"""JUnit XML, for pipelines that count tests: a file is a suite, an error a failure, everything else is written beside it."""

from collections.abc import Sequence
from itertools import groupby
from xml.etree.ElementTree import Element, SubElement, tostring

from governance.reports.entry import Entry


def junit(entries: Sequence[Entry]) -> str:
    root = Element("testsuites", name="contracts")
    for file, found in groupby(entries, key=lambda entry: entry.file):
        _suite(root, file, list(found))
    if not entries:
        _suite(root, "contracts", [])
    return '<?xml version="1.0" encoding="utf-8"?>\n' + tostring(root, encoding="unicode") + "\n"


def _suite(root: Element, file: str, entries: Sequence[Entry]) -> None:
    failures = sum(entry.level == "error" for entry in entries)
    suite = SubElement(root, "testsuite", name=file, tests=str(len(entries) or 1), failures=str(failures))
    if not entries:
        SubElement(suite, "testcase", classname=file, name="nothing found")
    for entry in entries:
        case = SubElement(suite, "testcase", classname=file, name=f"{entry.id} at line {entry.line}")
        said = f"{entry.message}\n{entry.pointer}\n{entry.fix}".strip()
        if entry.level == "error":
            SubElement(case, "failure", message=entry.message, type=entry.id).text = said
        else:
            SubElement(case, "system-out").text = said
