"""Pauses grow, stay under their ceiling, and never undercut what a platform asked for."""

from hypothesis import given
from hypothesis import strategies as st

from kernel.durable.patience import Patience
from kernel.problem import PlatformBusy


@given(st.integers(1, 10_000), st.none() | st.integers(0, 600))
def test_a_pause_is_within_its_bounds(failures: int, after: int | None) -> None:
    patience = Patience(first_pause=0.5, longest_pause=8)
    pause = patience.pause(failures, PlatformBusy("stripe: too many requests", retry_after=after))

    assert pause >= (after or 0)
    assert pause <= max(8, after or 0)
    assert pause >= min(8, 0.5 * 2 ** min(failures - 1, 10)) / 2
