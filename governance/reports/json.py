"""For programs: the entries and how many there are of each level."""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict

from governance.reports.entry import Entry


def as_json(entries: Sequence[Entry]) -> str:
    counts = Counter(entry.level for entry in entries)
    found = [{name: value for name, value in asdict(entry).items() if value != ""} for entry in entries]
    return json.dumps({"counts": dict(sorted(counts.items())), "findings": found}, indent=2, ensure_ascii=False) + "\n"
