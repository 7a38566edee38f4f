"""How long the engine insists, how often it looks around: every interval of the durable engine is one of these numbers."""

import random
from dataclasses import dataclass

from kernel.problem import Problem


@dataclass(frozen=True)
class Patience:
    """Seconds, apart from `crashes`.

    `budget`: how long one step is repeated on retryable problems before a person is asked. `tend_every`: one pass of reaper,
    sweeper and courier; a dead process is taken over after three passes. `poll_every`: how often `wait` looks at a run that
    another process works on. `crashes`: how often in a row a run may take its process down at the same step before it is
    held. `closing`: how long `close` lets steps in flight finish.
    """

    budget: float = 60.0
    first_pause: float = 0.25
    longest_pause: float = 10.0
    tend_every: float = 1.0
    poll_every: float = 0.25
    crashes: int = 5
    closing: float = 5.0

    def pause(self, failures: int, problem: Problem) -> float:
        """Exponential with full jitter over its upper half; never shorter than what the problem asked for."""
        ceiling = min(self.longest_pause, self.first_pause * 2.0 ** min(failures - 1, 32))
        return max(ceiling * random.uniform(0.5, 1.0), float(problem.retry_after or 0))
