"""Quote decisions over the seeded world, with a deadline that no test waits for unless it wants to."""

import pytest

from process_apis.quotes.process import QuoteDecisions
from tests.process_apis.platforms.world import World


@pytest.fixture
def decisions(world: World) -> QuoteDecisions:
    return QuoteDecisions(world.systems, world.book, world.clock, deadline=10)
