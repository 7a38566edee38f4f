"""Grants: what is in force for an operation, a plan and a client, each level replacing or adding by policy name.

estate (`[limits] default`) → API (its document's x-trivium-limits) → operation → plan → client (`[limits.clients]`). What names a
plan beats what speaks of all; settings beat contracts; a plan's `scale` leaves alone what the contract grants that very plan.
Nothing is unlimited by accident: an operation without any limit fails the start.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from gateway.contracts import BadContract
from gateway.limits.allowance import Allowance
from gateway.limits.declared import limit, merged
from gateway.pipeline import Limit, Operation
from kernel.sections.limits import LARGEST, Changed, Limits, Plan
from kernel.settings import Settings

DEFAULT = "default"  # the plan of callers without one, and of those whose plan is unknown here


class Grants:
    """The settings' share of it, read once."""

    def __init__(self, limits: Limits, plans: Mapping[str, Plan]) -> None:
        self._estate = tuple(limit(granted) for granted in limits.default)
        self._plans, self._clients = plans, limits.clients
        self._outage, self._processes = limits.outage, limits.processes

    @property
    def clients(self) -> frozenset[str]:
        """Those with limits of their own."""
        return frozenset(self._clients)

    @property
    def relaxed(self) -> frozenset[str]:
        """Clients for whom something that limits others may not."""
        found = (client for client, said in self._clients.items() if any(each.off or each.shadow for each in said.limits))
        return frozenset(found)

    def plans(self, operation: Operation) -> frozenset[str]:
        """Those that are told apart for this operation."""
        return frozenset({DEFAULT, *operation.limits, *self._plans})

    def in_force(self, operation: Operation, plan: str = DEFAULT, client: str = "") -> tuple[Limit, ...]:
        """Raises BadContract when nothing limits the operation."""
        if plan not in self.plans(operation):
            plan = DEFAULT
        limits = merged(self._estate, operation.limits.get(DEFAULT, ()))
        promised = operation.limits.get(plan, ()) if plan != DEFAULT else ()
        limits = _changed(merged(limits, promised), self._plans.get(plan), {each.policy for each in promised})
        limits = _changed(limits, self._clients.get(client))
        kept = tuple(each if each.outage else replace(each, outage=self._outage) for each in limits if each.quota)
        if all(each.shadow for each in kept):
            who = f", plan {plan}" + (f", client {client}" if client else "")
            raise BadContract(
                f"nothing limits {operation.id}{who}; say x-trivium-limits in its contract, or [limits] default in the settings"
            )
        return kept

    def allowance(self, operation: Operation, plan: str = DEFAULT, client: str = "") -> Allowance:
        """The same, ready to be counted."""
        return Allowance(operation.id, self.in_force(operation, plan, client), self._processes)


def grants(settings: Settings) -> Grants:
    return Grants(settings.limits, settings.plans)


def limits_in_force(settings: Settings, operation: Operation, plan: str = DEFAULT, client: str = "") -> tuple[Limit, ...]:
    """For those who show it."""
    return grants(settings).in_force(operation, plan, client)


def _changed(limits: Iterable[Limit], change: Changed | None, fixed: Iterable[str] = ()) -> tuple[Limit, ...]:
    if change is None:
        return tuple(limits)
    kept = frozenset(fixed)
    scaled = (each if each.policy in kept else _scaled(each, change.scale) for each in limits)
    return merged(scaled, (limit(granted) for granted in change.limits))


def _scaled(each: Limit, scale: float) -> Limit:
    if scale == 1 or not each.quota:
        return each
    quota = min(max(1, int(each.quota * scale)), LARGEST // max(each.window, 1))
    return replace(each, quota=quota, burst=each.burst and min(max(1, int(each.burst * scale)), quota))
