"""A bound token is worth nothing alone: at each call its holder proves the key (DPoP) or shows the certificate."""

from starlette.types import Scope

from gateway.oauth.claims import JKT, X5T
from gateway.oauth.dpop import ALGS, BadProof, Proofs
from gateway.oauth.dpop import HEADER as DPOP
from gateway.oauth.terminator import BadCertificate, Terminator, thumbprint
from gateway.pipeline import Caller
from kernel.problem import Unauthorized


class Possession:
    """What a holder can prove here, and how."""

    def __init__(self, proofs: Proofs, terminator: Terminator) -> None:
        self.proofs, self.terminator = proofs, terminator

    async def check(self, scope: Scope, caller: Caller, token: bytes, *, by_dpop: bool) -> None:
        """Raises Unauthorized unless the sender of this request holds what the token is bound to.

        `by_dpop`: it came as `Authorization: DPoP`, which is the one way for a key-bound token and no way for any other
        (RFC 9449 section 7.1).
        """
        bound = dict(caller.confirmation)
        if X5T in bound and bound[X5T] != self._shown(scope):
            raise _refused("Bearer", "invalid_token", "the token is bound to a certificate that the caller did not show")
        if JKT in bound:
            await self._check_key(scope, bound[JKT], token, by_dpop=by_dpop)
        elif by_dpop:
            raise _refused("DPoP", "invalid_token", "the token is not bound to a key; send it as Bearer")

    async def _check_key(self, scope: Scope, jkt: str, token: bytes, *, by_dpop: bool) -> None:
        if not by_dpop:
            raise _refused("DPoP", "invalid_token", "the token is bound to a key; send it as DPoP with a proof")
        proofs = [value for name, value in scope["headers"] if name == DPOP]
        if len(proofs) != 1:
            raise _refused("DPoP", "invalid_dpop_proof", "one DPoP header with a proof is needed")
        try:
            held = await self.proofs.check(proofs[0], scope, token=token)
        except BadProof as refusal:
            raise _refused("DPoP", "invalid_dpop_proof", str(refusal)) from None
        if held != jkt:
            raise _refused("DPoP", "invalid_token", "the token is bound to another key")

    def _shown(self, scope: Scope) -> str | None:
        try:
            certificate = self.terminator.certificate(scope)
        except BadCertificate:
            return None
        return None if certificate is None else thumbprint(certificate)


def _refused(scheme: str, error: str, why: str) -> Unauthorized:
    """RFC 6750 section 3, RFC 9449 section 7.1."""
    algs = f', algs="{ALGS}"' if scheme == "DPoP" else ""
    challenge = f'{scheme} error="{error}", error_description="{why}"{algs}'
    return Unauthorized(why, fix="prove possession of what the token is bound to", headers={"WWW-Authenticate": challenge})
