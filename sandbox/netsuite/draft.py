"""A request body becomes a draft record: names and values are checked against the schema, references resolved, lines merged."""

from dataclasses import dataclass, field
from datetime import date
from typing import Any, Literal, cast

from sandbox.netsuite import wire
from sandbox.netsuite.errors import Refused, invalid_content, invalid_header, invalid_value
from sandbox.netsuite.schema import Field, Fields
from sandbox.netsuite.store import Line, Record, Store

Strictness = Literal["Error", "Warning", "Ignore"]
# Members of a rendered record that a client may send back: taken for no change.
ECHOED = frozenset({"links", "id", "refName"})
TOUCHED = "_touched"  # which fields of a line this request set; gone before the line is stored


@dataclass
class Reader:
    """Reads one body. `warnings` collects what a Warning header lets pass."""

    store: Store
    names: Strictness = "Warning"
    values: Strictness = "Error"
    replace: frozenset[str] = frozenset()
    warnings: list[str] = field(default_factory=list)

    def apply(self, draft: Record, body: Any, created: bool) -> None:
        """Merges a body into a draft; `created`: line numbers in it count for nothing yet."""
        if not isinstance(body, dict):
            raise invalid_content("Invalid JSON: the request body must be an object.")
        for name, value in body.items():
            if name in draft.type.sublists:
                self._sublist(draft, name, value, created)
            elif name not in ECHOED:
                self._property(draft.type.fields, draft.values, name, value, name)

    def _property(self, fields: Fields, into: dict[str, Any], name: str, value: Any, path: str) -> None:
        known = fields.get(name)
        if known is None:
            self._tolerate(self.names, f"Unknown field name: {name}", path)
        elif known.computed:
            return
        elif value is None:
            into.pop(name, None)
        else:
            try:
                into[name] = self._value(known, value, path)
            except Refused as wrong:
                if self.values == "Error":
                    raise
                self._tolerate(self.values, wrong.detail, path)

    def _tolerate(self, strictness: Strictness, detail: str, path: str) -> None:
        if strictness == "Error":
            raise invalid_content(detail, path)
        if strictness == "Warning":
            self.warnings.append(f"{detail} ({path})")

    def _value(self, known: Field, value: Any, path: str) -> Any:
        match known.kind:
            case "string" if isinstance(value, str):
                return value
            case "boolean" if isinstance(value, bool):
                return value
            case "integer" if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 10**wire.LARGEST:
                return value
            case "number" if (exact := wire.number(value)) is not None:
                return exact
            case "date" if (parsed := _date(value)) is not None:
                return parsed
            case "ref":
                return self._reference(known, value, path)
            case "refs":
                return [self._reference(known, one, f"{path}.items[{n}]") for n, one in enumerate(_items(value, path))]
            case "enum":
                return self._choice(known, value, path)
            case "subrecord" if isinstance(value, dict):
                return self._subrecord(known, value, path)
        raise invalid_value(known.name, value, path)

    def _reference(self, known: Field, value: Any, path: str) -> str:
        if isinstance(value, dict):
            internal, external = value.get("id"), value.get("externalId")
            found = None
            if isinstance(internal, (str, int)) and not isinstance(internal, bool):
                found = self.store.by_id(known.target, str(internal))
            elif isinstance(external, str):
                found = self.store.by_external(known.target, external)
            if found:
                return found.id
            if internal is not None or external is not None:
                raise invalid_value(known.name, internal if internal is not None else external, path)
        raise invalid_value(known.name, value, path)

    def _choice(self, known: Field, value: Any, path: str) -> str:
        chosen = value.get("id") if isinstance(value, dict) else value
        if isinstance(chosen, str) and chosen in known.choices:
            return chosen
        raise invalid_value(known.name, chosen, path)

    def _subrecord(self, known: Field, value: dict[str, Any], path: str) -> dict[str, Any]:
        read: dict[str, Any] = {}
        for name, one in value.items():
            if name not in ECHOED:
                self._property(known.fields, read, name, one, f"{path}.{name}")
        return read

    def _sublist(self, draft: Record, name: str, value: Any, created: bool) -> None:
        fields = draft.type.sublists[name]
        lines = [] if name in self.replace else list(draft.lines.get(name, ()))
        for position, sent in enumerate(_items(value, name)):
            path = f"{name}.items[{position}]"
            if not isinstance(sent, dict):
                raise invalid_value(name, sent, path)
            line = self._line(lines, fields, sent, path, created)
            touched = set(line.get(TOUCHED, ()))
            for key, one in sent.items():
                if key not in ECHOED and key != "line":
                    self._property(fields, line, key, one, f"{path}.{key}")
                    touched.add(key)
            line[TOUCHED] = touched & set(line)
        draft.lines[name] = lines

    def _line(self, lines: list[Line], fields: Fields, sent: dict[str, Any], path: str, created: bool) -> Line:
        """The line that is meant, or a new one: `line` names it, in an application the document does."""
        if "doc" in fields:
            return _application(lines, self._doc(fields, sent, path))
        number = sent.get("line")
        if number is not None and not created:
            for line in lines:
                if line["line"] == number:
                    return line
            raise invalid_value("line", number, f"{path}.line")
        line = {"line": max((one["line"] for one in lines), default=0) + 1}
        lines.append(line)
        return line

    def _doc(self, fields: Fields, sent: dict[str, Any], path: str) -> str:
        if sent.get("doc") is None:
            raise invalid_content("Missing value for the required field: doc", f"{path}.doc")
        return cast(str, self._value(fields["doc"], sent["doc"], f"{path}.doc"))


def _application(lines: list[Line], doc: str) -> Line:
    for line in lines:
        if line.get("doc") == doc:
            return line
    line = {"line": max((one["line"] for one in lines), default=0) + 1, "doc": doc, "apply": True}
    lines.append(line)
    return line


def _items(value: Any, path: str) -> list[Any]:
    if isinstance(value, dict) and isinstance(value.get("items"), list):
        return list(value["items"])
    raise invalid_value(path, value, path)


def _date(value: Any) -> date | None:
    try:
        return date.fromisoformat(value) if isinstance(value, str) and len(value) == len("2026-02-01") else None
    except ValueError:
        return None


def strictness(header: str, sent: str | None, otherwise: Strictness) -> Strictness:
    """What a validation header asks for; any letter case, as clients differ."""
    for known in ("Error", "Warning", "Ignore"):
        if sent is not None and sent.lower() == known.lower():
            return known
    if sent is not None:
        raise invalid_header(header, f"Invalid value {sent} of the header {header}. Use Error, Warning or Ignore.")
    return otherwise


def untouch(draft: Record) -> None:
    for lines in draft.lines.values():
        for line in lines:
            line.pop(TOUCHED, None)
