"""Onboarding over the seeded world and the real engine."""

from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from contracts.models.money import Money
from contracts.models.onboarding import CreditDecision, NewOnboarding, Onboarding
from contracts.models.party import CreditTerms
from kernel.db import Database
from kernel.durable.engine import DbosDurable
from process_apis.onboarding.process import Onboardings
from process_apis.onboarding.records import PROCESS, Onboarded, OnboardingPlan
from process_apis.onboarding.steps import OnboardingSteps
from process_apis.onboarding.workflow import OnboardingWorkflow
from tests.process_apis.engine import running
from tests.process_apis.platforms.world import World, account


def terms(limit: str = "20000", days: int = 30, currency: str = "USD") -> CreditTerms:
    return CreditTerms(payment_days=days, credit_limit=Money.of(limit, currency))


@pytest.fixture
def decide_within() -> timedelta:
    return timedelta(days=5)


@pytest.fixture
async def durable(world: World, database: Database, tmp_path: Path, decide_within: timedelta) -> AsyncIterator[DbosDurable]:
    workflow = OnboardingWorkflow(OnboardingSteps(world.systems, world.book), decide_within)
    async with running(database, tmp_path, world.clock, {PROCESS: (workflow, OnboardingPlan, Onboarded)}) as durable:
        yield durable


@pytest.fixture
def onboardings(world: World, durable: DbosDurable) -> Onboardings:
    return Onboardings(world.systems, world.book, durable, answer_within=20)


@pytest.fixture
def start(onboardings: Onboardings) -> Callable[..., Any]:
    async def start(number: str = "ACC-1001", key: str = "key-1234", asked: CreditTerms | None = None) -> Onboarding:
        return await onboardings.start_onboarding(NewOnboarding(account=account(number), terms=asked or terms()), key)

    return start


@pytest.fixture
def decide(onboardings: Onboardings) -> Callable[..., Any]:
    async def decide(id: str, word: Any, granted: CreditTerms | None = None, key: str = "key-decide") -> Onboarding:
        decision = CreditDecision(decision=word, terms=granted, reason="as finance sees it")
        return await onboardings.decide_onboarding(id, decision, key)

    return decide
