"""A validation answers every check in time, whatever becomes of the systems, and asks each of them once."""

import asyncio
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.models.money import Money
from contracts.models.operation import CrmRecord
from contracts.models.validation import Check, Finding, Verdict, overall
from kernel.problem import (
    BadPlatformAnswer,
    Forbidden,
    Internal,
    NotFound,
    PlatformBusy,
    PlatformDown,
    PlatformTimeout,
    Refused,
    TooManyRequests,
    UnknownConnection,
)
from process_apis.quotes.checks import BILLING, CRM, ERP, QUESTIONS, Question
from process_apis.quotes.process import QuoteDecisions
from tests.process_apis.platforms.world import TODAY, quote

ASKING = {domain: {question.name for question in QUESTIONS if question.asks == domain} for domain in (CRM, ERP, BILLING)}
EVERY = set().union(*ASKING.values())


def by_verdict(validation, verdict):
    return {check.name for check in validation.checks if check.verdict is verdict}


def impatient(world, deadline=0.15):
    return QuoteDecisions(world.systems, world.book, world.clock, deadline=deadline)


async def test_an_answer_names_the_quote_its_total_and_its_customer(decisions, world):
    validation = await decisions.validate_quote(quote("Q-1003"))

    assert (validation.quote, validation.quote_number, validation.verdict) == (quote("Q-1003"), "Q-1003", Verdict.OK)
    assert validation.total == Money.of("18580.02", "USD")
    assert (validation.customer_key, validation.customer) == ("ACC-1003", world.erp.of("ACC-1003").reference)
    assert validation.validated_at == TODAY
    assert all(check.milliseconds >= 0 and check.problem is None for check in validation.checks)


@pytest.mark.parametrize("domain", [ERP, BILLING])
@pytest.mark.parametrize(
    "problem",
    [
        PlatformDown("down"),
        PlatformBusy("busy"),
        PlatformTimeout("late"),
        BadPlatformAnswer("not JSON"),
        TooManyRequests("slow down"),
        Internal("a bug there"),
        Forbidden("our credentials have expired"),
    ],
    ids=lambda problem: problem.slug,
)
async def test_a_failing_system_makes_exactly_its_own_checks_unanswerable(decisions, world, domain, problem):
    world.traffic.fail(domain, problem)
    validation = await decisions.validate_quote(quote("Q-1003"))

    assert by_verdict(validation, Verdict.COULD_NOT_CHECK) == ASKING[domain]
    assert by_verdict(validation, Verdict.OK) == EVERY - ASKING[domain]
    assert validation.verdict is Verdict.COULD_NOT_CHECK
    for check in validation.checks:
        assert check.findings == []
        assert (check.problem and check.problem["type"]) == (problem.type if check.name in ASKING[domain] else None)


@pytest.mark.parametrize("domain", [ERP, BILLING])
async def test_a_slow_system_makes_exactly_its_own_checks_unanswerable(world, domain):
    world.traffic.hang(domain)
    async with asyncio.timeout(10):
        validation = await impatient(world, 1.0).validate_quote(quote("Q-1003"))

    assert by_verdict(validation, Verdict.COULD_NOT_CHECK) == ASKING[domain]
    late = [check for check in validation.checks if check.problem]
    assert {check.problem["title"] for check in late} == {"A connected platform did not answer in time"}
    assert {check.system for check in late} == {"netsuite" if domain == ERP else "stripe"}


async def test_one_slow_question_costs_one_check(world):
    world.traffic.hang("erp.find_period")
    async with asyncio.timeout(10):
        validation = await impatient(world, 1.0).validate_quote(quote("Q-1003"))

    assert by_verdict(validation, Verdict.COULD_NOT_CHECK) == {"period"}


@pytest.mark.parametrize("disturb", ["hang", "fail"])
async def test_without_the_crm_nothing_can_be_checked_and_the_answer_still_comes(world, disturb):
    if disturb == "hang":
        world.traffic.hang(CRM)
    else:
        world.traffic.fail(CRM, PlatformDown("down"))
    async with asyncio.timeout(5):
        validation = await impatient(world).validate_quote(quote("Q-1003"))

    assert by_verdict(validation, Verdict.COULD_NOT_CHECK) == EVERY
    assert (validation.quote_number, validation.total, validation.customer_key) == (None, None, None)
    assert {check.system for check in validation.checks if check.name in ASKING[CRM]} == {"salesforce"}


async def test_a_no_outweighs_what_could_not_be_checked(decisions, world):
    world.traffic.fail(BILLING, PlatformDown("down"))
    validation = await decisions.validate_quote(quote("Q-1009"))

    assert validation.verdict is Verdict.NOT_OK
    assert by_verdict(validation, Verdict.COULD_NOT_CHECK) == ASKING[BILLING]


async def test_a_refusal_by_a_system_is_a_finding_in_its_words(decisions, world):
    said = Refused("Memory billing: the address is not taxable", field="address", system="stripe", fix="correct the address")
    world.traffic.fail("billing.preview_tax", said)
    validation = await decisions.validate_quote(quote("Q-1003"))

    [check] = [check for check in validation.checks if check.verdict is Verdict.NOT_OK]
    assert (check.name, check.system, check.problem) == ("tax_preview", "stripe", None)
    assert check.findings == [Finding(field="address", reason=said.detail, fix="correct the address")]


async def test_a_reference_to_what_is_gone_is_a_finding(decisions, world):
    world.erp.customers.clear()
    validation = await decisions.validate_quote(quote("Q-1003"))

    [check] = [check for check in validation.checks if check.name == "customer_active"]
    assert check.verdict is Verdict.NOT_OK
    assert "there is no customer" in check.findings[0].reason


async def test_a_check_that_stumbles_costs_itself_only(world):
    async def stumbles(_):
        raise ZeroDivisionError

    questions = (*QUESTIONS, Question("broken", ERP, stumbles))
    decisions = QuoteDecisions(world.systems, world.book, world.clock, 10, questions)
    validation = await decisions.validate_quote(quote("Q-1003"))

    assert by_verdict(validation, Verdict.COULD_NOT_CHECK) == {"broken"}
    assert by_verdict(validation, Verdict.OK) == EVERY


async def test_all_systems_are_asked_at_once(decisions, world):
    """The quote, then its account, then all the rest: nine calls, none of which is answered before all are in flight."""
    world.traffic.only_together(9, but={"crm.get_quote", "crm.get_account"})
    validation = await decisions.validate_quote(quote("Q-1003"))

    assert validation.verdict is Verdict.OK
    assert world.traffic.most_in_flight == 9


async def test_every_fact_is_fetched_once(decisions, world):
    await decisions.validate_quote(quote("Q-1010"))

    assert world.traffic.calls == {
        "crm.get_quote": 1, "crm.get_account": 1, "erp.get_customer": 1, "erp.get_credit": 1, "erp.list_items": 1,
        "erp.find_tax_code": 1, "erp.get_legal_entity": 1, "erp.find_period": 1, "billing.get_customer": 1,
        "billing.list_prices": 1, "billing.preview_tax": 1,
    }  # fmt: skip


async def test_nothing_is_asked_any_more_once_the_answer_is_given(world):
    world.traffic.hang(ERP)
    await impatient(world).validate_quote(quote("Q-1003"))

    assert world.traffic.in_flight == 0


async def test_a_quote_that_does_not_exist_is_not_found(decisions):
    with pytest.raises(NotFound, match="there is no quote 0Q09999"):
        await decisions.validate_quote(quote("Q-9999"))


async def test_a_connection_that_does_not_exist_is_the_callers_mistake(decisions):
    with pytest.raises(UnknownConnection):
        await decisions.validate_quote(CrmRecord(connection="hubspot", id="1"))


verdicts = st.lists(st.sampled_from(Verdict), max_size=10)


@given(verdicts, st.randoms(use_true_random=False))
def test_the_worst_verdict_counts_in_any_order(found, dice: random.Random):
    checks = [Check(name="check", verdict=verdict, system="erp", milliseconds=0) for verdict in found]
    worst = [verdict for verdict in (Verdict.NOT_OK, Verdict.COULD_NOT_CHECK, Verdict.OK) if verdict in found]
    dice.shuffle(checks)

    assert overall(checks) is (worst[0] if worst else Verdict.OK)
