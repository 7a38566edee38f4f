"""When a call is repeated."""

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from governance.clients.python.runtime.waiting import Retries, may_repeat, retry_after

SECONDS = st.floats(min_value=0, max_value=10_000)
DICE = st.floats(min_value=0, max_value=1)


@given(attempt=st.integers(1, 50), told=SECONDS, dice=DICE)
def test_nobody_comes_back_sooner_than_told(attempt, told, dice):
    pause = Retries(attempts=100, longest_pause=60).pause(attempt, told, dice)

    assert pause is None if told > 60 else pause >= told


@given(attempt=st.integers(1, 2000), dice=DICE)
def test_every_pause_has_a_bound_and_there_is_a_last_attempt(attempt, dice):
    pause = Retries(attempts=1000, longest_pause=20).pause(attempt, None, dice)

    assert (pause is None) == (attempt >= 1000)
    assert pause is None or 0 <= pause <= 20


@given(status=st.integers(400, 599), told=st.none() | SECONDS, method=st.sampled_from(["POST", "PATCH"]))
def test_what_could_be_done_twice_is_never_repeated_but_after_429(status, told, method):
    assert may_repeat(status, method, False, told) == (status == 429)


@given(status=st.integers(400, 599), told=st.none() | SECONDS)
def test_only_what_may_pass_is_repeated_under_a_key(status, told):
    expected = status in (408, 429, 503, 504) or (status == 409 and told is not None)

    assert may_repeat(status, "POST", True, told) == expected


def test_no_answer_is_repeated_where_nothing_is_done_twice():
    found = {(m, k): may_repeat(None, m, k, None) for m in ("GET", "PUT", "DELETE", "POST") for k in (True, False)}

    assert [case for case, again in found.items() if not again] == [("POST", False)]


def test_retry_after_is_seconds_or_a_date():
    now = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)
    said = ["7", "Sat, 21 Nov 2026 08:00:30 GMT", "Sat, 21 Nov 2026 07:00:00 GMT", "soon", "-1", "", None]

    assert [retry_after(value, now) for value in said] == [7, 30, 0, None, None, None, None]
