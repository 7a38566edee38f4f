from decimal import Decimal
from urllib.parse import parse_qsl

from hypothesis import given
from hypothesis import strategies as st

from sandbox.stripe import form as vendor
from system_apis.connectors.stripe.form import encoded


def test_nested_values_are_written_in_brackets_and_lists_are_numbered() -> None:
    form = {"metadata": {"external_id": "CRM-1"}, "items": [{"price": "price_1", "quantity": 3}], "expand": ["a", "b"]}

    assert parse_qsl(encoded(form)) == [
        ("metadata[external_id]", "CRM-1"),
        ("items[0][price]", "price_1"),
        ("items[0][quantity]", "3"),
        ("expand[0]", "a"),
        ("expand[1]", "b"),
    ]


def test_truth_is_spelled_out_absence_is_left_out_and_an_empty_text_stays() -> None:
    pairs = parse_qsl(encoded({"a": True, "b": False, "c": None, "d": "", "e": Decimal("0.020")}), keep_blank_values=True)

    assert pairs == [("a", "true"), ("b", "false"), ("d", ""), ("e", "0.020")]


def test_nothing_is_an_empty_form() -> None:
    assert encoded({"a": None, "b": [], "c": {}}) == ""


names = st.text(st.characters(codec="utf-8", exclude_characters="[]\0", exclude_categories=("Cs",)), min_size=1, max_size=8)
values = st.text(st.characters(codec="utf-8", exclude_characters="\0", exclude_categories=("Cs",)), max_size=12)


@given(st.dictionaries(names, values | st.dictionaries(names, values, min_size=1, max_size=3), max_size=4))
def test_whatever_is_written_is_read_by_the_vendor_as_it_was(form: dict[str, str | dict[str, str]]) -> None:
    assert vendor.decode(encoded(form)) == form
