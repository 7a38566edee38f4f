"""A record as record/v1 answers it: references and enumerations as objects, sublists as links unless expanded."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sandbox.netsuite.books import Books
from sandbox.netsuite.catalog import ENUM_NAMES
from sandbox.netsuite.computed import line_extras, value
from sandbox.netsuite.errors import invalid_parameter
from sandbox.netsuite.schema import Field, Fields
from sandbox.netsuite.store import Line, Record


def links(rel_href: dict[str, str]) -> list[dict[str, str]]:
    return [{"rel": rel, "href": href} for rel, href in rel_href.items()]


@dataclass(frozen=True)
class View:
    """How one request wants records shown; `root` is the REST root that links begin with."""

    books: Books
    root: str
    expand: bool = False
    simple_enum: bool = False

    def url(self, record: Record) -> str:
        return f"{self.root}/record/v1/{record.type.name}/{record.id}"

    def record(self, record: Record, wanted: frozenset[str] | None = None) -> dict[str, Any]:
        """The record; `wanted` narrows it to some fields and sublists."""
        shown: dict[str, Any] = {"links": links({"self": self.url(record)})}
        if record.id:
            shown["id"] = record.id
            shown["refName"] = record.get(record.type.label)
        for name, known in record.type.fields.items():
            if wanted is None or name in wanted:
                found = value(self.books, record, name)
                if found is not None:
                    shown[name] = self._shown(record.type.name, known, found)
        for name in record.type.sublists:
            if wanted is None or name in wanted:
                link = {"links": links({"self": f"{self.url(record)}/{name}"})}
                shown[name] = self.sublist(record, name) if self.expand else link
        return shown

    def fields(self, record: Record, names: str | None) -> frozenset[str] | None:
        """The field names of a `fields` parameter; raises for one that the record lacks."""
        if names is None:
            return None
        wanted = frozenset(name.strip() for name in names.split(","))
        unknown = wanted - set(record.type.fields) - set(record.type.sublists) - {"id", "links", "refName"}
        if unknown:
            raise invalid_parameter("fields", f"Invalid value in the fields query parameter: {', '.join(sorted(unknown))}.")
        return wanted

    def sublist(self, record: Record, name: str) -> dict[str, Any]:
        lines = record.lines.get(name, [])
        items = [self.line(record, name, line) for line in lines]
        return {"links": links({"self": f"{self.url(record)}/{name}"}), "items": items, "totalResults": len(items)}

    def line(self, record: Record, name: str, line: Line) -> dict[str, Any]:
        shown: dict[str, Any] = {"links": links({"self": f"{self.url(record)}/{name}/{line['line']}"})}
        fields = record.type.sublists[name]
        for key, found in {**line, **line_extras(self.books, record, name, line)}.items():
            if key in fields and found is not None:
                shown[key] = self._shown(record.type.name, fields[key], found)
        return shown

    def _shown(self, kind: str, known: Field, found: Any) -> Any:
        match known.kind:
            case "ref":
                return self._reference(known, found)
            case "refs":
                return {"items": [self._reference(known, one) for one in found]}
            case "enum":
                return found if self.simple_enum else _enumeration(kind, known.name, found)
            case "subrecord":
                return self._subrecord(kind, known.fields, found)
        return found

    def _reference(self, known: Field, internal: str) -> dict[str, Any]:
        target = self.books.store.by_id(known.target, internal)
        if target is None:
            return {"id": internal}
        return {"links": links({"self": self.url(target)}), "id": internal, "refName": target.get(target.type.label)}

    def _subrecord(self, kind: str, fields: Fields, found: dict[str, Any]) -> dict[str, Any]:
        return {"links": [], **{name: self._shown(kind, fields[name], one) for name, one in found.items()}}


def _enumeration(kind: str, name: str, found: str) -> dict[str, str]:
    return {"id": found, "refName": ENUM_NAMES.get((kind, name), {}).get(found, found)}


def plain(shown: Any) -> Any:
    """A rendered record for the control endpoint: no links, amounts as decimal strings, dates as ISO text."""
    match shown:
        case dict():
            return {name: plain(one) for name, one in shown.items() if name != "links"}
        case list():
            return [plain(one) for one in shown]
        case bool() | int() | str() | None:
            return shown
        case Decimal():
            return format(shown, "f")
    return shown.isoformat()
