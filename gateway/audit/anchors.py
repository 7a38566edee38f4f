"""Anchors: where a chain ended at a moment, written outside the database, so that a chain cut off after it is noticed.

One line each, added to a file in the data directory and told to the log; a log that is kept elsewhere is out of reach of whoever
has both.
"""

import json
import os
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

import structlog

from gateway.audit.chain import Place, anchor_seal

FILE = "audit-anchors.jsonl"


class AnchorFile:
    """The anchors of every process that shares the data directory."""

    def __init__(self, data: Path, key: bytes) -> None:
        self._place, self._key = data / FILE, key

    def write(self, place: Place, now: datetime) -> None:
        """Raises OSError when it cannot be kept; the log is told first."""
        at = now.isoformat()
        said = {"chain": place.chain, "seq": place.seq, "seal": place.seal, "at": at}
        structlog.get_logger("audit").info("audit anchor", **said)
        line = json.dumps({**said, "proof": anchor_seal(self._key, place, at)}).encode() + b"\n"
        descriptor = os.open(self._place, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            os.write(descriptor, line)  # one write, to the end: lines of several processes do not mix
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def read(self) -> tuple[list[Place], list[str]]:
        """The places, and what is wrong with the file."""
        text = self._place.read_text(encoding="utf-8", errors="replace") if self._place.exists() else ""
        found: list[Place] = []
        wrong: list[str] = []
        lines = text.split("\n")
        for number, line in enumerate(lines, 1):
            place = self._proved(line)
            if place is not None:
                found.append(place)
            elif line and number < len(lines):  # the last line may have been cut short when its process died
                wrong.append(f"line {number} of {self._place.name} is none of ours")
        return found, wrong

    def _proved(self, line: str) -> Place | None:
        try:
            said = json.loads(line)
            place = Place(str(said["chain"]), int(said["seq"]), str(said["seal"]))
            return place if said["proof"] == anchor_seal(self._key, place, str(said["at"])) else None
        except (ValueError, TypeError, KeyError):
            return None


def from_log(lines: Iterable[str]) -> list[Place]:
    """The anchors among the lines of a log that was kept elsewhere; whoever names the file vouches for it."""
    found = []
    for line in lines:
        if "audit anchor" not in line:
            continue
        try:
            said = json.loads(line)
            found.append(Place(str(said["chain"]), int(said["seq"]), str(said["seal"])))
        except (ValueError, TypeError, KeyError):
            continue
    return found
