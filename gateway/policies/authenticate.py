"""Authentication: whoever calls is who a token proves; what callers say about themselves in headers is dropped unread."""

from gateway.oauth.forwarded import HEADER, forwarded_caller
from gateway.oauth.verifier import Verifier
from gateway.pipeline import Call, Factory, Forward, Operation, Policy
from kernel.problem import BadRequest

_OURS = (b"x-trivium-", b"x_trivium_")  # the second spelling becomes the first in servers that read headers as variables
_TOKEN_TYPE = b"bearer "


def authenticate(verifier: Verifier) -> Factory:
    """The policy factory around the verifier that was built at start."""

    def factory(operation: Operation) -> Policy:
        return drop_identity if operation.public else policy

    async def policy(call: Call, forward: Forward) -> None:
        told = take_identity(call)
        token = _token(call, verifier)
        caller = verifier.recall(token) or await verifier.verify(token)
        call.caller = caller if told is None else forwarded_caller(caller, told)
        await forward(call)

    return factory


async def drop_identity(call: Call, forward: Forward) -> None:
    """For public operations: nobody is asked for a token, and nobody is believed either."""
    take_identity(call)
    await forward(call)


def take_identity(call: Call) -> bytes | None:
    """Removes every header of ours from the request; answers the one that may name an outer caller."""
    ours = [name for name in call.headers if name.startswith(_OURS)]
    if not ours:
        return None
    headers = call.scope["headers"]
    named = [bytes(value) for name, value in headers if name == HEADER]
    call.scope["headers"] = [header for header in headers if not header[0].startswith(_OURS)]
    for name in ours:
        del call.headers[name]
    return b",".join(named) if named else None  # joined as RFC 9110 joins them: two callers cannot be read as one


def _token(call: Call, verifier: Verifier) -> bytes:
    found = [value for name, value in call.scope["headers"] if name == b"authorization"]
    if len(found) > 1:
        raise BadRequest("the Authorization header is repeated", field="Authorization")
    if not found or found[0][:7].lower() != _TOKEN_TYPE:
        raise verifier.refusal(None)
    return bytes(found[0][7:])
