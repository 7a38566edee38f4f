"""What may be sent again after a look-up found nothing follows from the platform's capability alone."""

from datetime import UTC, datetime

import pytest

from contracts.ports.effects import Capability
from kernel.problem import Internal
from system_apis.guard.claim import Claim, Write
from system_apis.guard.in_doubt import Resend, after_absence
from system_apis.guard.outbound_write import State
from tests.system_apis.guard.shop import BROKEN, BUSY, KEYED, LOOK_UP, LOST, NO, PERSON, REMEMBERING, UPSERT

NOW = datetime(2026, 1, 1, tzinfo=UTC)
SAME_KEY, SURE, SURE_NEW_KEY = Resend(False, False), Resend(True, False), Resend(True, True)


@pytest.fixture
def claim() -> Claim:
    write = Write("shop", "shop.create_order", "order-1", "a1", "k", "")
    return Claim(write, "me.1", NOW, key="k", fingerprint="a1")


@pytest.mark.parametrize(
    ("capability", "expected"), [(UPSERT, SAME_KEY), (KEYED, SAME_KEY), (REMEMBERING, SAME_KEY), (LOOK_UP, SURE), (PERSON, None)]
)
def test_the_first_repeat_keeps_its_key(claim: Claim, capability: Capability, expected: Resend | None) -> None:
    claim.failed(BROKEN, NOW)

    assert after_absence(capability, claim) == expected


def test_only_a_failure_told_twice_under_one_key_is_taken_for_remembered(claim: Claim) -> None:
    claim.failed(LOST, NOW)
    claim.failed(LOST, NOW)
    claim.failed(BROKEN, NOW)
    once = after_absence(REMEMBERING, claim)
    claim.failed(BROKEN, NOW)
    twice = after_absence(REMEMBERING, claim)
    claim.renew_key()

    assert (once, twice, after_absence(REMEMBERING, claim)) == (SAME_KEY, SURE_NEW_KEY, SAME_KEY)
    assert claim.platform_key == "k:1"


def test_other_content_never_goes_under_a_key_that_was_used(claim: Claim) -> None:
    claim.key_spent = True

    assert after_absence(KEYED, claim) == SURE_NEW_KEY
    assert after_absence(LOOK_UP, claim) == SURE_NEW_KEY


def test_what_an_attempt_leaves_behind_depends_on_its_problem(claim: Claim) -> None:
    states = []
    for problem in (BUSY, NO, LOST, BUSY, Internal("our own mistake")):
        claim.failed(problem, NOW)
        states.append(claim.state)

    assert states == [State.INTENDED, State.REJECTED, State.UNKNOWN, State.UNKNOWN, State.UNKNOWN]
