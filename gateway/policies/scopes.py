"""Scopes: a token may do what its scopes say, and nothing else."""

from gateway.pipeline import Call, Forward, Operation, Policy
from kernel.problem import Forbidden


def require_scopes(operation: Operation) -> Policy | None:
    if not operation.scopes:
        return None

    async def policy(call: Call, forward: Forward) -> None:
        missing = operation.scopes - call.caller.scopes
        if missing:
            raise Forbidden.insufficient_scope(sorted(missing))
        await forward(call)

    return policy
