"""What a new configuration means to the clients that are registered: what they hold and what is asked for have to meet."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from gateway.configuration.check import Checked
from gateway.limits.grants import DEFAULT, grants


class Holder(NamedTuple):
    """A registered client, as far as it matters here."""

    client: str
    scopes: frozenset[str]
    plan: str


def strays(before: Checked | None, after: Checked, holders: Iterable[Holder]) -> Iterator[str]:
    """One line each; what was the same before is not told again."""
    were = set() if before is None else set(_lines(before, holders := list(holders)))
    yield from (line for line in _lines(after, holders) if line not in were)


def _lines(checked: Checked, holders: Iterable[Holder]) -> Iterator[str]:
    asked = frozenset(scope for operation in checked.operations for scope in operation.scopes)
    told = grants(checked.settings)
    plans = frozenset(plan for operation in checked.operations for plan in told.plans(operation))
    for holder in holders:
        for scope in sorted(holder.scopes - asked):
            yield f"{holder.client} holds {scope}, which no operation asks for"
        if holder.plan not in plans:
            yield f"{holder.client} has the plan {holder.plan}, which nothing describes: it is treated as {DEFAULT}"
