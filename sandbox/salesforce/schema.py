"""What an sObject is: its fields, their types and what a caller may write, read from one line per field.

A line is `Name type[(length)] flag ...`. Flags: required, readonly, createonly, unique, external (an external id),
indexed, long (not filterable), cascade (the parent's deletion deletes this row), `=value` (default), `one|of|these`
for a restricted picklist as `{a|b}`, and for references `>Object/Relationship/ChildRelationship`.
"""

import re
from dataclasses import dataclass, field
from typing import Any

TEXT = frozenset({"string", "textarea", "picklist", "email", "phone", "url"})
NUMERIC = frozenset({"currency", "double", "percent", "int"})
IDS = frozenset({"id", "reference"})

# Every object of the org has these; Salesforce calls them system fields.
SYSTEM_FIELDS = """
Id id readonly
IsDeleted boolean readonly
CreatedDate datetime readonly
CreatedById reference readonly >User/CreatedBy
LastModifiedDate datetime readonly
LastModifiedById reference readonly >User/LastModifiedBy
SystemModstamp datetime readonly
"""
OWNER = "OwnerId reference >User/Owner =owner\n"


@dataclass(frozen=True, slots=True)
class Field:
    name: str
    type: str
    length: int = 0
    required: bool = False
    createable: bool = True
    updateable: bool = True
    unique: bool = False
    external: bool = False
    indexed: bool = False
    filterable: bool = True
    cascade: bool = False
    default: str | None = None
    values: tuple[str, ...] = ()
    parent: str | None = None
    relationship: str | None = None
    child_relationship: str | None = None

    @property
    def custom(self) -> bool:
        return self.name.endswith("__c")


@dataclass(frozen=True)
class SObject:
    """One object type: `fields` by name in describe order; `prefix` opens its record ids."""

    name: str
    prefix: str
    fields: dict[str, Field]
    writable: bool = True
    spelled: dict[str, Field] = field(default_factory=dict)  # lower case -> field: names are case-insensitive
    parents: dict[str, Field] = field(default_factory=dict)  # lower-case relationship -> reference field

    def field(self, name: str) -> Field | None:
        return self.spelled.get(name.lower())


def sobject(name: str, prefix: str, lines: str, *, writable: bool = True) -> SObject:
    read = [_field(line) for line in (SYSTEM_FIELDS + lines).strip().splitlines() if line.strip()]
    fields = {f.name: f for f in read}
    return SObject(
        name,
        prefix,
        fields,
        writable,
        {f.name.lower(): f for f in read},
        {f.relationship.lower(): f for f in read if f.relationship},
    )


def _field(line: str) -> Field:
    name, kind, *flags = line.split()
    match = re.fullmatch(r"([a-z]+)(?:\((\d+)\))?", kind)
    if match is None:
        raise ValueError(f"not a field: {line}")
    given: dict[str, Any] = {"type": match[1], "length": int(match[2] or 255 if match[1] in TEXT else 0)}
    for flag in flags:
        given |= _flag(flag)
    given["indexed"] = given.get("indexed", False) or given["type"] in IDS or any(given.get(f) for f in ("unique", "external"))
    return Field(name, **given)


def _flag(flag: str) -> dict[str, Any]:
    match flag[0]:
        case "=":
            return {"default": flag[1:]}
        case "{":
            return {"values": tuple(flag[1:-1].replace("_", " ").split("|"))}
        case ">":
            parent, relationship, *child = flag[1:].split("/")
            return {"parent": parent, "relationship": relationship, "child_relationship": child[0] if child else None}
    return {
        "required": {"required": True},
        "readonly": {"createable": False, "updateable": False},
        "createonly": {"updateable": False},
        "unique": {"unique": True},
        "external": {"external": True},
        "indexed": {"indexed": True},
        "long": {"filterable": False},
        "cascade": {"cascade": True},
    }[flag]
