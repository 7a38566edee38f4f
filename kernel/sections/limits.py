"""`[limits]` and `[plans]`: what a caller may use where its contract, plan or client does not say more."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from kernel.sections.base import Section

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,39}$")]
Count = Annotated[int, Field(ge=1, le=1_000_000_000, strict=True)]
Outage = Literal["deny", "allow", "local"]
Priority = Literal["sheddable", "normal", "critical"]
LARGEST = 2**53 // 1000  # calls × seconds that can still be weighed exactly, on Redis too


class Granted(Section):
    """One limit, as contracts (`x-trivium-limits`) and settings write it; `policy` is its name in the RateLimit fields.

    Exactly one of: `quota` calls in a `window` of seconds; `quota` calls a calendar `period`, UTC; `concurrent` calls at once;
    `off`, which takes back what was inherited under that name. `algorithm` gcra spreads a window's calls evenly but for a
    `burst`. `per` client counts all its operations together. `outage`: what becomes of calls while the shared store is away.
    `shadow`: measured, never enforced, never told.
    """

    policy: Name
    quota: Count | None = None
    window: Annotated[int, Field(ge=1, le=31_622_400, strict=True)] | None = None
    period: Literal["day", "month"] | None = None
    concurrent: Count | None = None
    algorithm: Literal["sliding", "gcra"] = "sliding"
    burst: Count | None = None
    per: Literal["operation", "client"] = "operation"
    outage: Literal["", "deny", "allow", "local"] = ""
    shadow: bool = False
    off: bool = False

    @model_validator(mode="before")
    @classmethod
    def _spelled(cls, said: Any) -> Any:
        """YAML 1.1 readers take a bare `off` for false."""
        return {("off" if key is False else key): value for key, value in said.items()} if isinstance(said, dict) else said

    @model_validator(mode="after")
    def _one_form(self) -> Self:
        said = (self.quota is not None, self.window is not None, self.period is not None, self.concurrent is not None, self.off)
        forms = {(True, True, False, False, False), (True, False, True, False, False), (False, False, False, True, False)}
        if said not in forms and said != (False, False, False, False, True):
            raise ValueError("say quota and window, or quota and period, or concurrent, or off")
        if (self.algorithm == "gcra" or self.burst is not None) and (self.window is None or self.algorithm != "gcra"):
            raise ValueError("algorithm gcra needs a window, and a burst needs algorithm gcra")
        if self.quota is not None and (self.burst or 1) > self.quota:
            raise ValueError("a burst is at most the quota")
        if self.quota is not None and self.quota * (self.window or 1) > LARGEST:
            raise ValueError("quota times window is too large to be counted exactly")
        return self


class Changed(Section):
    """How a client or a plan departs from the rest: `scale` multiplies quotas, `limits` replace or add by policy name."""

    scale: Annotated[float, Field(gt=0, le=1_000_000)] = 1.0
    limits: tuple[Granted, ...] = ()


class Plan(Changed):
    """One plan. `priority`: its calls are the first to go (sheddable) or the last (critical) when the process is overloaded."""

    priority: Priority = "critical"


class Limits(Section):
    """What holds for the whole estate.

    `default` is what every operation starts from. `outage` is for limits that do not say so themselves, `processes` the number of
    those that share out a limit's quota where the way is `local`. A call waits at most `patience` seconds for the shared store,
    at most `waiting` calls at once, and none for `rest` seconds after a failure. `lease`: seconds after which calls under way no
    longer count when their process has died.
    """

    default: tuple[Granted, ...] = (Granted(policy="burst", quota=600, window=60),)
    clients: Mapping[str, Changed] = {}
    outage: Outage = "local"
    processes: Annotated[int, Field(ge=1, le=10_000)] = 1
    patience: Annotated[float, Field(gt=0, le=10)] = 0.05
    waiting: Annotated[int, Field(ge=1, le=100_000)] = 256
    rest: Annotated[float, Field(gt=0, le=600)] = 1.0
    lease: Annotated[float, Field(ge=1, le=3600)] = 15.0
    counters: Annotated[int, Field(ge=100, le=10_000_000)] = 100_000
