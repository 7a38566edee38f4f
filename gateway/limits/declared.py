"""Limits as contracts and settings say them become Limits, or are refused in words."""

from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import ValidationError

from gateway.pipeline import Limit
from kernel.sections.limits import Granted

EXTENSION = "x-trivium-limits"
Plans = dict[str, tuple[Limit, ...]]


def declared(levels: Iterable[Mapping[str, Any]]) -> tuple[Plans, list[str]]:
    """By plan, what the levels of a contract say (outermost first), and what is wrong with it. A later level replaces and adds by
    policy name."""
    found: Plans = {}
    faults: list[str] = []
    for level in levels:
        said = level.get(EXTENSION, {})
        if not isinstance(said, Mapping):
            faults.append(f"{EXTENSION} has a list of limits for each plan, `default` for all others")
            continue
        for plan, entries in said.items():
            limits, wrong = _limits(str(plan), entries)
            found[str(plan)] = merged(found.get(str(plan), ()), limits)
            faults += wrong
    return found, faults


def merged(inherited: Iterable[Limit], own: Iterable[Limit]) -> tuple[Limit, ...]:
    """What was inherited, with what is said here in place of it where the name is the same."""
    return tuple({limit.policy: limit for limit in (*inherited, *own)}.values())


def limit(granted: Granted) -> Limit:
    """The Limit that an entry means."""
    if granted.off:
        return Limit(granted.policy, 0)
    kind = granted.period or ("concurrent" if granted.concurrent else granted.algorithm)
    quota = granted.quota or granted.concurrent or 0
    burst = (granted.burst or max(1, quota // 10)) if kind == "gcra" else 0
    return Limit(granted.policy, quota, granted.window or 0, granted.outage, kind, burst, granted.per, granted.shadow)


def _limits(plan: str, entries: Any) -> tuple[list[Limit], list[str]]:
    where = f"{EXTENSION} of plan {plan}"
    if not isinstance(entries, list):
        return [], [f"{where}: it is a list of limits"]
    limits, faults = [], []
    for number, entry in enumerate(entries, 1):
        try:
            limits.append(limit(Granted.model_validate(entry)))
        except ValidationError as error:
            faults.append(f"{where}, entry {number}: {_words(error)}")
    names = [each.policy for each in limits]
    faults += [f"{where}: the policy name {name} is there twice" for name in sorted(set(names)) if names.count(name) > 1]
    return limits, faults


def _words(error: ValidationError) -> str:
    found = [(".".join(map(str, each["loc"])), each["msg"].removeprefix("Value error, ")) for each in error.errors()]
    return "; ".join(f"{place}: {what}" if place else what for place, what in found)
