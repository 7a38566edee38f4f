"""Forms: what the SDK's own encoder writes, the decoder reads back; what is broken is refused, never a crash."""

import contextlib
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stripe._encode import _api_encode

from sandbox.stripe.errors import Refused
from sandbox.stripe.form import MAX_PAIRS, decode

names = st.text(st.characters(exclude_characters="[]\0", exclude_categories=["Cs"]), min_size=1, max_size=8)
values = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=8)
trees = st.recursive(values, lambda inner: st.dictionaries(names, inner, min_size=1, max_size=3), max_leaves=8)


def nested(tree: Any, depth: int = 0) -> int:
    return max((nested(t, depth + 1) for t in tree.values()), default=depth) if isinstance(tree, dict) else depth


@given(st.dictionaries(names, trees, max_size=4).filter(lambda tree: nested(tree) <= 8))
def test_every_tree_that_the_sdk_encodes_is_read_back(tree: dict[str, Any]) -> None:
    encoded = urlencode([(k, v) for k, v in _api_encode(tree)])

    assert decode(encoded) == tree


@given(st.text(max_size=40))
def test_any_text_is_read_or_refused(text: str) -> None:
    with contextlib.suppress(Refused):
        assert isinstance(decode(text), dict)


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("a[0]=x&a[1]=y", {"a": {"0": "x", "1": "y"}}),
        ("a[]=x&a[]=y", {"a": {"0": "x", "1": "y"}}),
        ("a[][p]=1&a[][q]=2&a[][p]=3", {"a": {"0": {"p": "1", "q": "2"}, "1": {"p": "3"}}}),
        ("a[][p][]=1&a[][p][]=2", {"a": {"0": {"p": {"0": "1", "1": "2"}}}}),
        ("a=", {"a": ""}),
        ("", {}),
        ("a=1&a=2", {"a": "2"}),
    ],
)
def test_brackets_nest(text: str, tree: dict[str, Any]) -> None:
    assert decode(text) == tree


@pytest.mark.parametrize("text", ["a[=1", "a]=1", "[a]=1", "a[b]c=1", "=1", "a=1&a[b]=2", "a[b]=2&a=1", "a=%FF", "a=%00"])
def test_broken_forms_are_refused(text: str) -> None:
    with pytest.raises(Refused):
        decode(text)


def test_too_many_parameters_are_refused() -> None:
    with pytest.raises(Refused):
        decode("&".join(f"k{n}=v" for n in range(MAX_PAIRS + 1)))
