"""What is the same is not told, what differs is told where it is, and nothing that differs is passed over."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from gateway.configuration.differences import LONGEST, differences, shown

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["a", "b", "name", "policy"]), inner, max_size=3),
    max_leaves=12,
)


@given(JSON)
def test_nothing_differs_from_itself(value: Any) -> None:
    assert list(differences(value, value)) == []


@given(JSON, JSON)
def test_whatever_differs_is_told(before: Any, after: Any) -> None:
    same = repr(before) == repr(after) or before == after

    assert bool(list(differences(before, after))) or same


def test_lists_of_named_things_are_compared_by_name() -> None:
    before = [{"policy": "burst", "quota": 5}, {"policy": "daily", "quota": 100}]
    after = [{"policy": "burst", "quota": 5}, {"policy": "daily", "quota": 90}]
    told = [str(each) for each in differences(before, after, "default")]
    turned = [str(each) for each in differences(before, before[::-1], "default")]

    assert told == ["default.daily.quota: 100 → 90"]
    assert turned == ['order of default: ["burst", "daily"] → ["daily", "burst"]']


def test_what_comes_and_goes_is_told_as_such() -> None:
    assert [str(each) for each in differences({"a": 1}, {"b": [1, 2]})] == ["a: 1 → nothing", "b: nothing → [1, 2]"]
    assert [str(each) for each in differences([1, 2], [1, 3])] == ["[1]: 2 → 3"]
    assert [str(each) for each in differences(1, True)] == ["1 → true"]


def test_long_values_are_shortened() -> None:
    assert len(shown("x" * 1000)) == LONGEST
