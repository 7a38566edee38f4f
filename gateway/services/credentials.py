"""What we show to an upstream that is not ours: nothing, what the caller showed us, or a secret that is read once at start."""

from pathlib import Path

from gateway.pipeline import Call
from gateway.upstreams.connection import Headers
from gateway.upstreams.target import Proof
from kernel.sections.services import Credential, Token


def proof(token: Token, data: Path) -> Proof | None:
    """None where nothing of ours is shown. `data`: what secret files are relative to. Raises SecretMissing."""
    if not isinstance(token, Credential):
        return None
    secret = token.secret.resolve(data).get_secret_value().encode("utf-8")
    bearer = token.header.lower() == "authorization" and b" " not in secret
    shown = [(token.header.lower().encode("ascii"), b"Bearer " + secret if bearer else secret)]

    async def headers(_: Call) -> Headers:
        return shown

    return headers
