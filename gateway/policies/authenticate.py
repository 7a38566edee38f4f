"""Authentication: whoever calls is who a token proves; what callers say about themselves in headers is dropped unread."""

from gateway.oauth.verifier import Verifier
from gateway.pipeline import Call, Factory, Forward, Operation, Policy
from kernel.problem import BadRequest

_OURS = (b"x-trivium-", b"x_trivium_")  # the second spelling becomes the first in servers that read headers as variables
_BEARER, _DPOP = b"bearer ", b"dpop "


def authenticate(verifier: Verifier) -> Factory:
    """The policy factory around the verifier that was built at start."""
    possession = verifier.possession
    terminator, certificates = possession.terminator, possession.terminator.headers

    def factory(operation: Operation) -> Policy:
        return public if operation.public else policy

    async def policy(call: Call, forward: Forward) -> None:
        if not certificates.isdisjoint(call.headers):
            terminator.take(call.scope, call.headers)
        drop_identity(call)
        token, by_dpop = _token(call, verifier)
        caller = verifier.recall(token) or await verifier.verify(token)
        if by_dpop or caller.confirmation:
            await possession.check(call.scope, caller, token, by_dpop=by_dpop)
        call.caller = caller
        await forward(call)

    async def public(call: Call, forward: Forward) -> None:
        """Nobody is asked for a token, and nobody is believed either."""
        terminator.take(call.scope, call.headers)
        drop_identity(call)
        await forward(call)

    return factory


def drop_identity(call: Call) -> None:
    """Removes every header of ours from the request: who calls is in the token, between our own processes too."""
    ours = [name for name in call.headers if name.startswith(_OURS)]
    if not ours:
        return
    call.scope["headers"] = [header for header in call.scope["headers"] if not header[0].startswith(_OURS)]
    for name in ours:
        del call.headers[name]


def _token(call: Call, verifier: Verifier) -> tuple[bytes, bool]:
    """The token, and whether it came as DPoP (RFC 9449 section 7.1)."""
    found, headers = call.headers.get(b"authorization", b""), call.scope["headers"]
    if len(call.headers) != len(headers) and [name for name, _ in headers].count(b"authorization") > 1:
        raise BadRequest("the Authorization header is repeated", field="Authorization")
    if found[:7].lower() == _BEARER:
        return bytes(found[7:]), False
    if found[:5].lower() == _DPOP:
        return bytes(found[5:]), True
    raise verifier.refusal(None)
