"""Limits: a call is charged once it is known to be allowed and well formed, and told what is left either way.

The fields are those of draft-ietf-httpapi-ratelimit-headers-10; the refusal is its `quota-exceeded` problem.
"""

from collections.abc import Sequence
from typing import Any

from gateway.limiter import Limiter, Verdict
from gateway.pipeline import ANONYMOUS, Call, Factory, Forward, Limit, Operation, Policy
from kernel.problem import TooManyRequests


def spend_limit(limiter: Limiter) -> Factory:
    def build(operation: Operation) -> Policy | None:
        if not operation.limits:
            return None
        plans = {plan: (limits, _policies(limits)) for plan, limits in operation.limits.items()}
        default = plans["default"]
        suffix = f":{operation.id}"
        shared, spend, spend_here = limiter.shared, limiter.spend, limiter.spend_here

        async def policy(call: Call, forward: Forward) -> None:
            limits, described = plans.get(call.caller.plan, default)
            payer = _payer(call) + suffix
            verdicts = await spend(payer, limits) if shared else spend_here(payer, limits)
            fields = call.response_headers
            fields.append((b"ratelimit-policy", described))
            if verdicts:
                fields.append((b"ratelimit", _left(verdicts)))
                for verdict in verdicts:
                    if not verdict.admitted:
                        raise _quota_exceeded(verdicts)
            await forward(call)

        return policy

    return build


def _payer(call: Call) -> str:
    """Callers without a name are told apart by their address."""
    if call.caller.client != ANONYMOUS:
        return call.caller.client
    client = call.scope.get("client")
    return f"{ANONYMOUS}@{client[0]}" if client else ANONYMOUS


def _policies(limits: Sequence[Limit]) -> bytes:
    return ", ".join(f'"{limit.policy}";q={limit.quota};w={limit.window}' for limit in limits).encode()


def _left(verdicts: Sequence[Verdict]) -> bytes:
    return ", ".join([f'"{verdict.limit.policy}";r={verdict.remaining};t={verdict.reset}' for verdict in verdicts]).encode()


def _quota_exceeded(verdicts: Sequence[Verdict]) -> TooManyRequests:
    violated = [verdict for verdict in verdicts if not verdict.admitted]
    names = [verdict.limit.policy for verdict in violated]
    wait = max(verdict.reset for verdict in violated)
    members: dict[str, Any] = {"violated-policies": names}
    detail, fix = f"the limit {' and '.join(names)} is used up", f"call again in {wait} s"
    return TooManyRequests(detail, fix=fix, retry_after=wait, **members)
