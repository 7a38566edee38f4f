"""Text becomes what its schema expects, and only where it can be nothing else."""

from decimal import Decimal
from typing import Any

import pytest

from gateway import parameters


@pytest.mark.parametrize(
    ("text", "wanted", "expected"),
    [
        ("10", {"integer"}, 10),
        ("-1", {"integer"}, -1),
        ("010", {"integer"}, "010"),
        ("1e3", {"integer", "number"}, "1e3"),
        ("1.10", {"number"}, Decimal("1.10")),
        ("9" * 40, {"integer"}, "9" * 40),
        ("true", {"boolean"}, True),
        ("True", {"boolean"}, "True"),
        ("10", {"string"}, "10"),
        ("null", {"null", "string"}, "null"),
        ("١", {"integer"}, "١"),
    ],
)
def test_text_is_judged_as_what_is_expected(text: str, wanted: set[str], expected: Any) -> None:
    found = parameters.value(text, frozenset(wanted))

    assert found == expected
    assert type(found) is type(expected)


def test_types_are_found_through_references_and_choices() -> None:
    schema = {"anyOf": [{"$ref": "#/$defs/Page"}, {"type": "null"}], "$defs": {"Page": {"type": ["integer"]}}}

    assert parameters.types(schema) == {"integer", "null"}


def test_a_schema_that_refers_to_itself_ends() -> None:
    schema = {"$ref": "#/$defs/Loop", "$defs": {"Loop": {"anyOf": [{"$ref": "#/$defs/Loop"}, {"type": "string"}]}}}

    assert parameters.types(schema) == {"string"}


def test_an_array_s_items_are_found_where_it_is_one_of_several() -> None:
    schema = {"anyOf": [{"type": "array", "items": {"type": "integer"}}, {"type": "null"}]}

    assert parameters.item_types(schema) == {"integer"}
