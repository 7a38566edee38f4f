"""What an application expects is read in words, and may not go beyond what its contract promises."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance.consumers.expectations import TYPES, read, shape
from governance.consumers.promised import beyond
from governance.contract import Contract
from governance.source import Unreadable
from tests.governance.rules.documents import good

KEY = "process/orders/v1"
ADD = {
    "name": "an order is added", "operation": f"{KEY}#add_order", "request": {"body": {"note": "n"}}, "answer": {"status": 200},
}  # fmt: skip


def expecting(folder, **said):
    file = folder / "portal.yaml"
    file.write_text(json.dumps({"application": "portal", "expectations": [{**ADD, **said}]}))
    (found,) = read(file)
    return found


def wrong(folder, change=None, **said):
    document = good()
    if change:
        change(document)
    contract = Contract.parse(json.dumps(document))
    return [(one.id, one.message.partition(": ")[2]) for one in beyond(expecting(folder, **said), {KEY: contract})]


def test_placeholders_are_examples_that_may_be_replaced(tmp_path):
    one = expecting(tmp_path, given={"note": "example"}, request={"body": {"note": "say {note}", "list": ["{note}", 3]}})

    assert one.asked("body", {}) == {"note": "say example", "list": ["example", 3]}
    assert one.asked("body", {"note": "x"}) == {"note": "say x", "list": ["x", 3]}
    assert one.asked("query", {}) == {}


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({"operation": "add_order"}, "written as process/quotes/v1#"), ({"colour": "red"}, "it needs a name"),
        ({"answer": {"status": "200"}}, "an answer is a status"), ({"request": {"verb": "GET"}}, "a request has path"),
        ({"request": {"body": {"note": "{x}"}}}, "names {x}, of which given"),
        ({"answer": {"status": 200, "fields": {"a": "text"}}}, "'text' is no type"),
        ({"answer": {"status": 200, "fields": {"a": ["string", "string"]}}}, "neither a type, nor fields"),
    ],
)  # fmt: skip
def test_a_file_that_says_something_else_is_refused_in_words_at_its_line(tmp_path, said, why):
    with pytest.raises(Unreadable, match=f"portal.yaml:1: .*{why}"):
        expecting(tmp_path, **said)


def test_an_expectation_that_its_contract_promises_is_fine(tmp_path):
    assert wrong(tmp_path) == []


@pytest.mark.parametrize(
    ("said", "id", "why"),
    [
        ({"operation": f"{KEY}#no_order"}, "expectation-operation", "has no no_order"),
        ({"operation": "process/quotes/v1#add_order"}, "expectation-operation", "no such API"),
        ({"request": {"body": {}}}, "expectation-request", "the body does not fit"),
        ({"operation": f"{KEY}#list_orders"}, "expectation-request", "it takes no body"),
        ({"operation": f"{KEY}#replace_order"}, "expectation-request", "path parameter order_id is required"),
        ({"request": {"body": {"note": 3}}}, "expectation-request", "the body does not fit"),
        ({"request": {"body": {"note": "n"}, "query": {"colour": "red"}}}, "expectation-request", "no query parameter colour"),
        ({"answer": {"status": 302}}, "expectation-status", "302 is not promised"),
        ({"answer": {"status": 200, "fields": {"colour": "string"}}}, "expectation-fields", "colour is not promised"),
    ],
)
def test_what_goes_beyond_the_contract_is_said(tmp_path, said, id, why):
    found = wrong(tmp_path, **said)

    assert id in {one for one, _ in found}
    assert any(why in message for _, message in found)


def test_a_field_that_becomes_optional_is_not_promised_any_more(tmp_path):
    reading = {"operation": f"{KEY}#list_orders", "request": {}, "answer": {"status": 200, "fields": {"items": "array"}}}

    def required(document):
        document["components"]["schemas"]["Orders"]["required"] = ["items"]

    assert wrong(tmp_path, required, **reading) == []
    assert wrong(tmp_path, **reading)[0] == (
        "expectation-fields", "items is not promised: it may be left out"
    )  # fmt: skip


_SHAPES = st.recursive(
    st.sampled_from(sorted(TYPES)),
    lambda inner: st.one_of(inner.map(lambda one: [one]), st.dictionaries(st.text("abc", min_size=1), inner, max_size=3)),
)


@given(_SHAPES)
def test_every_shape_accepts_what_it_describes_and_misses_what_is_left_out(said):
    import jsonschema_rs

    example = {"string": "", "integer": 1, "number": 1.5, "boolean": True, "object": {}, "array": [], "null": None}

    def made(part):
        if isinstance(part, str):
            return example[part]
        return [made(part[0])] if isinstance(part, list) else {name: made(inner) for name, inner in part.items()}

    validator = jsonschema_rs.Draft202012Validator(shape(said))

    assert validator.is_valid(made(said))
    if isinstance(said, dict) and said:
        assert not validator.is_valid({})
