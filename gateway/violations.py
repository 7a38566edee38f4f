"""A schema compiled once, and its verdicts in words that point at the place and never repeat what was sent."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import jsonschema_rs

MOST = 20  # violations told at once
_STEPS = 20_000  # of a backtracking pattern
Violation = dict[str, str]


class Unusable(ValueError):
    """The schema cannot be compiled."""


def compiled(schema: Mapping[str, Any]) -> jsonschema_rs.Validator:
    """Draft 2020-12 with formats asserted; nothing is ever fetched."""
    options = jsonschema_rs.FancyRegexOptions(backtrack_limit=_STEPS)
    try:
        return jsonschema_rs.Draft202012Validator(
            dict(schema), validate_formats=True, mask="the value", offline=True, pattern_options=options
        )
    except ValueError as error:
        raise Unusable(str(error)) from None


class Compiling:
    """A validator that is compiled when it is first asked, of a schema that is known to be usable."""

    __slots__ = ("_schema", "is_valid", "iter_errors")

    def __init__(self, schema: Mapping[str, Any]) -> None:
        self._schema = schema
        self.is_valid: Callable[[Any], bool] = self._first
        self.iter_errors: Callable[[Any], Iterator[jsonschema_rs.ValidationError]]

    def _first(self, instance: Any) -> bool:
        validator = compiled(self._schema)
        self.is_valid, self.iter_errors = validator.is_valid, validator.iter_errors
        return self.is_valid(instance)


def violations(validator: "jsonschema_rs.Validator | Compiling", instance: Any, place: str, base: str = "") -> list[Violation]:
    """`place`: body, path, query or header. Pointers are RFC 6901, below `base`."""
    found: list[Violation] = []
    for error in validator.iter_errors(instance):
        for told in _told(error):
            found.append({"in": place, "pointer": base + _pointer(told), "detail": told.message})
        if len(found) >= MOST:
            break
    return found[:MOST]


def _told(error: jsonschema_rs.ValidationError) -> Iterator[jsonschema_rs.ValidationError]:
    """Of a failed choice, the branch that was meant, if one stands out: the only one that accepts the value's type."""
    kind = error.kind
    if isinstance(kind, jsonschema_rs.ValidationErrorKind.AnyOf | jsonschema_rs.ValidationErrorKind.OneOfNotValid):
        here = error.instance_path
        meant = [branch for branch in kind.context if not any(_rejects_type(inner, here) for inner in branch)]
        if len(meant) == 1:
            for inner in meant[0]:
                yield from _told(inner)
            return
    yield error


def _rejects_type(error: jsonschema_rs.ValidationError, here: list[str | int]) -> bool:
    return error.instance_path == here and isinstance(error.kind, jsonschema_rs.ValidationErrorKind.Type)


def _pointer(error: jsonschema_rs.ValidationError) -> str:
    parts = list(error.instance_path)
    if isinstance(error.kind, jsonschema_rs.ValidationErrorKind.Required):
        parts.append(error.kind.property)
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in parts)
