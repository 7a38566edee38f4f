"""What a record, its fields and its sublists are, and the notation they are declared in.

A field is written `name:kind`, kind string if left out; `>customer` is a reference, `{A|B}` an enumeration, `*subsidiary`
several references; a trailing `!` marks a field that NetSuite computes and a body cannot set.
"""

from dataclasses import dataclass, field
from typing import Literal

FieldKind = Literal["string", "number", "integer", "boolean", "date", "datetime", "ref", "refs", "enum", "subrecord"]
SCALARS: dict[str, FieldKind] = {
    "string": "string", "number": "number", "integer": "integer", "boolean": "boolean", "date": "date", "datetime": "datetime",
}  # fmt: skip


@dataclass(frozen=True)
class Field:
    """One property of a record, a line or a subrecord."""

    name: str
    kind: FieldKind
    target: str = ""  # of a reference: a record type or a family
    choices: tuple[str, ...] = ()
    computed: bool = False
    fields: "Fields" = field(default_factory=dict)  # of a subrecord


Fields = dict[str, Field]


@dataclass(frozen=True)
class RecordType:
    """One record of record/v1. Types of one family share internal and external ids, as in NetSuite."""

    name: str
    family: str
    label: str  # the field that names an instance: refName
    fields: Fields
    sublists: dict[str, Fields]
    code: str = ""  # the transaction's or item's type in SuiteQL


def parse(declared: str) -> Fields:
    """The fields of a declaration, in order."""
    return {one.name: one for one in map(_field, declared.split())}


def _field(word: str) -> Field:
    name, _, kind = word.rstrip("!").partition(":")
    computed = word.endswith("!")
    match kind[:1]:
        case "":
            return Field(name, "string", computed=computed)
        case ">":
            return Field(name, "ref", target=kind[1:], computed=computed)
        case "*":
            return Field(name, "refs", target=kind[1:], computed=computed)
        case "{":
            return Field(name, "enum", choices=tuple(kind.strip("{}").split("|")), computed=computed)
    return Field(name, SCALARS[kind], computed=computed)
