"""A name tells a moment from a day: what ends in _at is a date-time, a date ends in _on, _date, _from, _until and the like."""

from collections.abc import Iterator

from governance.contract import Contract
from governance.lint.rule import Severity, Violation, rule

_DAYS = ("_on", "_date", "_from", "_until", "_through", "_by", "_since")


@rule("date-names", 25, severity=Severity.WARNING, see="Zalando 235, 238", fix="name moments …_at (date-time), days …_on (date)")
def date_names(contract: Contract) -> Iterator[Violation]:
    for found in contract.schemas:
        for name, schema in found.node.raw("properties").items():
            kind = schema.followed()
            if kind.get("type") == "string" and name.endswith("_at") and kind.get("format") != "date-time":
                yield Violation(schema, f"{name} is a moment and no date-time")
            elif kind.get("format") == "date-time" and not name.endswith("_at") and name not in ("at", "as_of", "since", "until"):
                yield Violation(schema, f"{name} is a date-time and not called …_at")
            elif kind.get("format") == "date" and not f"_{name}".endswith(_DAYS) and name not in ("day", "as_of", "start", "end"):
                yield Violation(schema, f"{name} is a day and not called …_on or …_date")
