"""A client that is bound to networks calls from there or not at all; the binding is looked up anew at every call."""

from collections.abc import Mapping

from gateway.pipeline import Call, Factory, Forward, Operation, Policy
from gateway.proxies import Network, address, plain, within
from kernel.problem import Forbidden

Bindings = Mapping[str, tuple[Network, ...]]  # client -> where it may call from; not in here: from anywhere


def bind_addresses(bindings: Bindings | None) -> Factory:
    """`bindings` changes while calls are made: it is what this process knows of the clients, at most a second old."""

    def factory(operation: Operation) -> Policy | None:
        return None if bindings is None or operation.public or operation.layer == "door" else policy

    async def policy(call: Call, forward: Forward) -> None:
        networks = bindings.get(call.caller.client) if bindings else None
        if networks is not None:
            _check(call, networks)
        await forward(call)

    return factory


def _check(call: Call, networks: tuple[Network, ...]) -> None:
    client = call.scope.get("client")
    found = address(client[0]) if client else None
    if found is None or not within(found, map(plain, networks)):
        call.note("address", "outside the client's networks")
        raise Forbidden(
            "this client may not call from where it does",
            fix="call from one of the networks the client is bound to, or have them changed",
        )
