"""Estate, API, operation, plan, client: the nearer word holds, by policy name, and nothing is unlimited by accident."""

from typing import Any

import pytest

from gateway.contracts import BadContract
from gateway.limits.declared import declared
from gateway.limits.grants import Grants, limits_in_force
from gateway.pipeline import Limit
from kernel.sections.limits import LARGEST, Changed, Granted, Limits, Plan
from kernel.settings import Settings

BURST = Limit("burst", 600, 60, "local")
ESTATE = Limits(
    default=(
        Granted(policy="burst", quota=600, window=60), Granted(policy="daily", quota=10_000, period="day"),
        Granted(policy="parallel", concurrent=10),
    ),
    clients={"acme": Changed(limits=(Granted(policy="daily", quota=7, period="day"),)), "globex": Changed(scale=0.001)},
    outage="deny",
)  # fmt: skip
PLANS = {"gold": Plan(scale=2), "trial": Plan(limits=(Granted(policy="parallel", concurrent=1),))}


@pytest.fixture
def quotas(operation: Any) -> Any:
    def in_force(plan: str = "default", client: str = "", limits: Any = (), grants: Grants | None = None) -> dict[str, int]:
        found = (grants or Grants(ESTATE, PLANS)).in_force(operation(limits=dict(limits)), plan, client)
        return {limit.policy: limit.quota for limit in found}

    return in_force


OWN = {"default": (Limit("burst", 5, 1),), "gold": (Limit("burst", 50, 1),), "silver": (Limit("daily", 3, kind="day"),)}


@pytest.mark.parametrize(
    ("plan", "client", "limits", "expected"),
    [
        ("default", "", {}, {"burst": 600, "daily": 10_000, "parallel": 10}),
        ("default", "", OWN, {"burst": 5, "daily": 10_000, "parallel": 10}),
        ("gold", "", {}, {"burst": 1200, "daily": 20_000, "parallel": 20}),
        ("gold", "", OWN, {"burst": 50, "daily": 20_000, "parallel": 20}),
        ("silver", "", OWN, {"burst": 5, "daily": 3, "parallel": 10}),
        ("trial", "", OWN, {"burst": 5, "daily": 10_000, "parallel": 1}),
        ("unheard-of", "", OWN, {"burst": 5, "daily": 10_000, "parallel": 10}),
        ("gold", "acme", OWN, {"burst": 50, "daily": 7, "parallel": 20}),
        ("default", "globex", OWN, {"burst": 1, "daily": 10, "parallel": 1}),
        ("default", "", {"default": (Limit("daily", 0), Limit("parallel", 0))}, {"burst": 600}),
    ],
)
def test_the_nearer_word_holds(quotas: Any, plan: str, client: str, limits: Any, expected: dict[str, int]) -> None:
    assert quotas(plan, client, limits) == expected


def test_an_operation_that_nothing_limits_fails_the_start_in_words(quotas: Any) -> None:
    bare = Grants(Limits(default=()), {})
    watched = Grants(Limits(default=(Granted(policy="burst", quota=1, window=1, shadow=True),)), {})

    for grants in (bare, watched):
        with pytest.raises(BadContract, match=r"nothing limits get_order, plan default; say x-trivium-limits"):
            quotas(grants=grants)


def test_a_plan_that_takes_back_every_limit_fails_the_start_too(quotas: Any) -> None:
    with pytest.raises(BadContract, match="plan free"):
        quotas("free", limits={"free": tuple(Limit(name, 0) for name in ("burst", "daily", "parallel"))})


def test_the_estate_decides_what_an_outage_does_where_nobody_says_so(operation: Any) -> None:
    limits = Grants(ESTATE, {}).in_force(operation(limits={"default": (Limit("burst", 5, 1, "allow"),)}))

    assert {limit.policy: limit.outage for limit in limits} == {"burst": "allow", "daily": "deny", "parallel": "deny"}


def test_what_is_in_force_can_be_shown_for_settings_as_they_come(operation: Any) -> None:
    assert limits_in_force(Settings.model_construct(), operation()) == (BURST,)


def test_no_scale_makes_a_quota_that_cannot_be_counted(operation: Any) -> None:
    huge = Grants(Limits(), {"huge": Plan(scale=1_000_000, limits=())})
    own = {"default": (Limit("burst", 10**9, 8000),)}

    assert huge.in_force(operation(limits=own), "huge")[0].quota * 8000 <= LARGEST


LEVELS: tuple[dict[str, Any], ...] = (
    {
        "x-trivium-limits": {
            "default": [{"policy": "burst", "quota": 9, "window": 60}, {"policy": "daily", "quota": 5, "period": "day"}]
        }
    },
    {},
    {"x-trivium-limits": {"default": [{"policy": "burst", "quota": 3, "window": 1}], "gold": [{"policy": "daily", "off": True}]}},
)


def test_an_operation_speaks_over_its_document_by_policy_name() -> None:
    found, faults = declared(LEVELS)

    assert faults == []
    assert found == {"default": (Limit("burst", 3, 1), Limit("daily", 5, kind="day")), "gold": (Limit("daily", 0),)}


@pytest.mark.parametrize(
    ("entry", "limit"),
    [
        ({"policy": "a", "concurrent": 4, "outage": "deny"}, Limit("a", 4, 0, "deny", "concurrent")),
        ({"policy": "a", "quota": 4, "period": "month", "per": "client"}, Limit("a", 4, 0, kind="month", per="client")),
        ({"policy": "a", "quota": 50, "window": 2, "algorithm": "gcra"}, Limit("a", 50, 2, kind="gcra", burst=5)),
        ({"policy": "a", "quota": 50, "window": 2, "algorithm": "gcra", "burst": 9}, Limit("a", 50, 2, kind="gcra", burst=9)),
        ({"policy": "a", False: True}, Limit("a", 0)),  # YAML 1.1's bare `off`
        ({"policy": "a", "quota": 4, "window": 2, "shadow": True}, Limit("a", 4, 2, shadow=True)),
    ],
)
def test_every_form_of_a_limit_is_understood(entry: Any, limit: Limit) -> None:
    assert declared([{"x-trivium-limits": {"default": [entry]}}]) == ({"default": (limit,)}, [])


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ({"policy": "a", "quota": 1}, "say quota and window, or quota and period, or concurrent, or off"),
        ({"policy": "a", "quota": 1, "window": 1, "period": "day"}, "say quota and window"),
        ({"policy": "a", "concurrent": 1, "off": True}, "say quota and window"),
        ({"policy": "a", "quota": 0, "window": 1}, "quota: "),
        ({"policy": "a", "quota": True, "window": 1}, "quota: "),
        ({"policy": "a", "quota": 1.5, "window": 1}, "quota: "),
        ({"policy": "A b", "quota": 1, "window": 1}, "policy: "),
        ({"policy": "a", "quota": 1, "window": 1, "outage": "maybe"}, "outage: "),
        ({"policy": "a", "quota": 1, "window": 1, "burst": 1}, "a burst needs algorithm gcra"),
        ({"policy": "a", "quota": 1, "period": "day", "algorithm": "gcra"}, "gcra needs a window"),
        ({"policy": "a", "quota": 1, "window": 1, "algorithm": "gcra", "burst": 2}, "a burst is at most the quota"),
        ({"policy": "a", "quota": 10**9, "window": 31_000_000}, "too large to be counted exactly"),
        ({"policy": "a", "quota": 1, "window": 1, "colour": "red"}, "colour: "),
        ("burst", "entry 1: "),
    ],
)
def test_a_limit_that_makes_no_sense_is_refused_in_words(entry: Any, words: str) -> None:
    _, faults = declared([{"x-trivium-limits": {"default": [entry]}}])

    assert len(faults) == 1
    assert faults[0].startswith("x-trivium-limits of plan default, entry 1: ")
    assert words in faults[0]
