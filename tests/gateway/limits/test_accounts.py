"""Accounts are bounded, keep what was counted when limits change, and never forget calls that are under way."""

from dataclasses import replace

import pytest

from gateway.limits.accounts import Accounts
from gateway.limits.allowance import Allowance
from gateway.limits.charge import Charge
from gateway.pipeline import Limit

NOW = 1_772_366_400_000_000
BURST = Limit("burst", 10, 60)
DAILY = Limit("daily", 3, kind="day")
PARALLEL = Limit("parallel", 2, kind="concurrent")


def spend(accounts: Accounts, *limits: Limit, client: str = "acme", operation: str = "op") -> Charge:
    return accounts.spend(client, Allowance(operation, limits), NOW)


def numbers(charge: Charge) -> list[tuple[bool, int]]:
    return [(verdict.admitted, verdict.remaining) for verdict in charge.verdicts]


def test_what_one_limit_refuses_the_others_do_not_charge() -> None:
    accounts = Accounts(100)
    charges = [spend(accounts, BURST, DAILY) for _ in range(8)]

    assert numbers(charges[-1]) == [(True, 7), (False, 0)]
    assert numbers(spend(accounts, BURST)) == [(True, 6)]


def test_calls_under_way_are_as_many_as_granted_and_ended_ones_make_room() -> None:
    accounts = Accounts(100)
    first, _second, third = (spend(accounts, PARALLEL) for _ in range(3))
    assert first.release is not None
    first.release()

    assert (third.refused, third.release) == (True, None)
    assert not spend(accounts, PARALLEL).refused


def test_a_shadow_limit_counts_like_any_other_but_neither_refuses_nor_shows() -> None:
    accounts, shadow = Accounts(100), replace(DAILY, shadow=True)
    charges = [spend(accounts, BURST, shadow) for _ in range(4)]

    assert [charge.refused for charge in charges] == [False] * 4
    assert [[limit.policy for limit in charge.shadows] for charge in charges] == [[], [], [], ["daily"]]
    assert numbers(charges[-1]) == [(True, 6)]


def test_a_client_s_limit_counts_all_its_operations_together() -> None:
    accounts, whole = Accounts(100), replace(DAILY, per="client")
    for operation in ("one", "two", "three"):
        spend(accounts, whole, operation=operation)

    assert spend(accounts, whole, operation="four").refused
    assert not spend(accounts, whole, operation="four", client="globex").refused


def test_a_client_s_count_lives_as_long_as_one_of_its_accounts() -> None:
    accounts, whole = Accounts(100), replace(DAILY, per="client")
    for number in range(3):
        spend(accounts, whole, operation=f"op-{number}")
    for number in range(99):
        spend(accounts, BURST, client=f"other-{number}")

    assert spend(accounts, whole, operation="op-0").refused


def test_new_limits_find_what_was_counted_under_the_same_name() -> None:
    accounts = Accounts(100)
    for _ in range(4):
        spend(accounts, BURST)
    more = replace(BURST, quota=20)

    assert numbers(spend(accounts, more, DAILY)) == [(True, 15), (True, 2)]
    assert numbers(spend(accounts, replace(BURST, window=30))) == [(True, 9)]


def test_accounts_are_bounded_and_the_active_ones_stay() -> None:
    accounts = Accounts(100)
    for number in range(1000):
        spend(accounts, replace(BURST, quota=10**6), client="busy")
        spend(accounts, BURST, client=f"once-{number}")

    assert len(accounts) == 100
    assert numbers(spend(accounts, replace(BURST, quota=10**6), client="busy")) == [(True, 10**6 - 1001)]


def test_an_account_with_calls_under_way_is_not_forgotten() -> None:
    accounts = Accounts(10)
    held = [spend(accounts, PARALLEL, client="long") for _ in range(2)]
    for number in range(1000):
        spend(accounts, BURST, client=f"once-{number}")

    assert len(accounts) <= 11
    assert spend(accounts, PARALLEL, client="long").refused
    for charge in held:
        assert charge.release is not None
        charge.release()
    assert not spend(accounts, PARALLEL, client="long").refused


@pytest.mark.parametrize("kind", ["sliding", "day"])
def test_operations_and_clients_have_counters_of_their_own(kind: str) -> None:
    accounts, once = Accounts(100), Limit("once", 1, 60 if kind == "sliding" else 0, kind=kind)

    assert not spend(accounts, once).refused
    assert not spend(accounts, once, operation="other").refused
    assert not spend(accounts, once, client="globex").refused
    assert spend(accounts, once).refused
