"""Limits: a call is charged once it is known to be allowed and well formed, and told what is left either way.

The fields are those of draft-ietf-httpapi-ratelimit-headers-10; the refusal is its `quota-exceeded` problem. What a call holds
while it is under way is given back when it ends, however it ends.
"""

from collections.abc import Callable
from ipaddress import IPv6Address, ip_network
from typing import Any

from gateway.limits.allowance import Allowance, left
from gateway.limits.charge import Charge
from gateway.limits.grants import DEFAULT, Grants
from gateway.limits.limiter import Limiter
from gateway.pipeline import ANONYMOUS, Call, Caller, Factory, Forward, Operation, Policy
from kernel.problem import TooManyRequests

OWN = "door"  # the layer of what the door answers itself, which no contract promises


def spend_limit(limiter: Limiter, grants: Grants) -> Factory:
    """Raises BadContract for an operation that nothing limits."""

    def build(operation: Operation) -> Policy | None:
        if operation.layer == OWN:
            return None
        allowances = _Allowances(grants, operation)
        plans, default, special, own = allowances.plans, allowances.default, grants.clients, allowances.own
        shared, spend, spend_here, stranger = limiter.shared, limiter.spend, limiter.spend_here, operation.public

        async def policy(call: Call, forward: Forward) -> None:
            caller = call.caller
            allowance = plans.get(caller.plan, default) if caller.client not in special else own(caller)
            payer = caller.client if caller.client != ANONYMOUS else _address(call)
            fields = call.response_headers
            fields.append((b"ratelimit-policy", allowance.described))
            if shared:
                charge = await spend(payer, allowance, stranger=stranger)
            else:
                charge = spend_here(payer, allowance, stranger=stranger)
            if charge.verdicts:
                fields.append((b"ratelimit", left(charge.verdicts)))
            if charge.shadows or charge.refused or charge.uncounted:
                _account_for(call, charge, limiter)
            if charge.release is None:
                await forward(call)
            else:
                await _holding(call, forward, charge.release)

        return policy

    return build


async def _holding(call: Call, forward: Forward, release: Callable[[], None]) -> None:
    try:
        await forward(call)
    finally:
        release()


class _Allowances:
    """What is in force for one operation: by plan, and for the clients with limits of their own, by client and plan."""

    def __init__(self, grants: Grants, operation: Operation) -> None:
        self._grants, self._operation = grants, operation
        self.plans = {plan: grants.allowance(operation, plan) for plan in grants.plans(operation)}
        self.default = self.plans[DEFAULT]
        self._own: dict[tuple[str, str], Allowance] = {}  # as many as settings name clients and plans
        for client in grants.relaxed:  # or it would be seen only when the client calls
            for plan in self.plans:
                grants.in_force(operation, plan, client)

    def own(self, caller: Caller) -> Allowance:
        plan = caller.plan if caller.plan in self.plans else DEFAULT
        found = self._own.get((caller.client, plan))
        if found is None:
            found = self._own[caller.client, plan] = self._grants.allowance(self._operation, plan, caller.client)
        return found


def _address(call: Call) -> str:
    """Callers without a name are told apart by their address; who has one in IPv6 has a whole network of them."""
    client = call.scope.get("client")
    if not client:
        return ANONYMOUS
    host = str(client[0])
    if ":" in host:
        host = _network(host)
    return f"{ANONYMOUS}@{host}"


def _network(host: str) -> str:
    try:
        address = IPv6Address(host.partition("%")[0])
    except ValueError:
        return host
    return str(address.ipv4_mapped or ip_network((address, 64), strict=False))


def _account_for(call: Call, charge: Charge, limiter: Limiter) -> None:
    """What is not the same for every call: for the receipt and the metrics. Raises the refusal."""
    operation = call.operation.id
    if charge.uncounted:
        call.note("limits", f"the shared store is away: {'counted in this process' if charge.verdicts else 'not counted'}")
    if charge.shadows:
        call.note("limits_in_shadow", [limit.policy for limit in charge.shadows])
        for limit in charge.shadows:
            limiter.tally.refused(operation, limit.policy, shadow=True)
    if charge.refused:
        for verdict in charge.verdicts:
            if not verdict.admitted:
                limiter.tally.refused(operation, verdict.limit.policy)
        raise _quota_exceeded(charge)


def _quota_exceeded(charge: Charge) -> TooManyRequests:
    violated = [verdict for verdict in charge.verdicts if not verdict.admitted]
    names = [verdict.limit.policy for verdict in violated]
    wait = max(1, *(verdict.reset for verdict in violated))
    plural = len(names) > 1
    detail = f"the limit{'s' if plural else ''} {' and '.join(names)} {'are' if plural else 'is'} used up"
    members: dict[str, Any] = {"violated-policies": names}
    return TooManyRequests(detail, fix=f"call again in {wait} s", retry_after=wait, **members)
