"""Shedding: what this process cannot do in time is refused before anything waits, the least important first.

`x-trivium-priority` of an operation is sheddable, normal or critical; a plan's `priority` in the settings can only lower that,
which is known once the caller is. Tokens, metrics and operations are the last to go, health pages are never refused.
"""

from collections.abc import Mapping

from gateway.contracts import BadContract
from gateway.limits.grants import DEFAULT
from gateway.pipeline import Call, Factory, Forward, Operation, Policy
from gateway.shedding import Importance, Load
from kernel.sections.limits import Plan

EXTENSION = "x-trivium-priority"
_PRIORITIES = {"sheddable": Importance.SHEDDABLE, "normal": Importance.NORMAL, "critical": Importance.CRITICAL}
_UNHELD = frozenset({"unrouted", "options"})  # answers that cost less than refusing them


def shed(load: Load | None) -> Factory:
    """Before everything that waits. Raises BadContract for a priority nobody knows."""

    def build(operation: Operation) -> Policy | None:
        importance = _importance(operation)
        if load is None or importance is None:
            return None
        admit, leave = load.admit, load.leave

        async def passing(call: Call, forward: Forward) -> None:
            """A WebSocket stays for hours and is bounded by the connections there may be; its beginning is what costs."""
            admit(importance)
            leave()
            await forward(call)

        async def policy(call: Call, forward: Forward) -> None:
            admit(importance)
            try:
                await forward(call)
            finally:
                leave()

        return passing if operation.extensions.get("x-trivium-websocket") else policy

    return build


def shed_plans(load: Load | None, plans: Mapping[str, Plan]) -> Factory:
    """Once the caller is known: calls of plans that matter less than the operation itself."""

    def build(operation: Operation) -> Policy | None:
        importance = _importance(operation)
        if load is None or importance is None or importance is Importance.ESSENTIAL:
            return None
        lowered = {plan: _PRIORITIES[said.priority] for plan, said in plans.items() if _PRIORITIES[said.priority] < importance}
        if not lowered:
            return None
        known, usual, lower = plans.keys() | operation.limits.keys(), lowered.get(DEFAULT, importance), load.lower

        async def policy(call: Call, forward: Forward) -> None:
            plan = call.caller.plan
            least = lowered.get(plan, importance) if plan in known else usual
            if least < importance:
                lower(importance, least)
            await forward(call)

        return policy

    return build


def _importance(operation: Operation) -> Importance | None:
    """None for what is never refused."""
    said = operation.extensions.get(EXTENSION)
    if said is not None:
        if said not in _PRIORITIES:
            raise BadContract(f"{operation.id}: {EXTENSION} is {said!r}; it is one of {', '.join(_PRIORITIES)}")
        return _PRIORITIES[said]
    if operation.layer == "door":
        return None if operation.path.startswith("/health/") or operation.id in _UNHELD else Importance.ESSENTIAL
    return Importance.ESSENTIAL if operation.layer == "ops" else Importance.NORMAL
