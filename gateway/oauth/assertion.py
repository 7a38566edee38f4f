"""A client proves itself by a JWT of its own making (RFC 7523): for us alone, for minutes, once, signed with a key it registered.

The signature is that of the client's own registered keys and of no key that the JWT brings along; an unknown client costs the
same work as a wrong signature.
"""

import json
from collections.abc import Awaitable, Callable, Sequence

from cryptography.hazmat.primitives.asymmetric import ec
from joserfc.jwk import ECKey

from gateway.oauth.claims import seconds
from gateway.oauth.client_rules import ASSERTION
from gateway.oauth.clients import Client
from gateway.oauth.jws import TOKEN_HEADER, Compact, Malformed, parse
from gateway.oauth.once import Once
from gateway.oauth.public_keys import BadKey, PublicKey, read_key, read_keys
from kernel.clock import Clock

TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
LONGEST_LIFE, LEEWAY = 300, 5  # seconds
MOST_KEYS = 10  # of one client
_HEADER = TOKEN_HEADER | {"x5t", "x5t#S256"}  # told by some libraries, used by nobody
_KINDS = frozenset({"", "jwt", "client-authentication+jwt"})
_LONGEST_JTI = 256

Find = Callable[[str], Awaitable[Client | None]]


class Assertions:
    """Checks client assertions; `audiences` are our names, of which one must be the only audience."""

    def __init__(self, audiences: Sequence[str], find: Find, once: Once, clock: Clock) -> None:
        self._audiences, self._find, self._once, self._clock = frozenset(audiences), find, once, clock
        nobody = ec.generate_private_key(ec.SECP256R1())
        self._nobody = [read_key(ECKey.import_key(nobody.public_key()).as_dict(private=False))]

    async def prove(self, assertion: str, client_id: str | None = None) -> Client | None:
        """The client; None for any assertion that does not prove one. `client_id`: whom the form names beside it.

        A good assertion is used up by this. Raises Unavailable when it cannot be known whether it was used before.
        """
        try:
            compact = parse(assertion.encode(), members=_HEADER)
            named, lasting, jti = self._check(compact)
        except Malformed:
            return None
        client = await self._find(named)
        able = client is not None and client.details.auth_method == ASSERTION
        keys = _keys(client) if client is not None and able else self._nobody
        if not _signed(compact, keys) or not able or client_id not in (None, named):
            return None
        return client if await self._once.first(json.dumps(["assertion", named, jti]), lasting) else None

    def _check(self, compact: Compact) -> tuple[str, int, str]:
        """The client it names, for how many seconds it could be used again, and its own name. RFC 7523 section 3."""
        claims, now = compact.claims, self._clock.now().timestamp()
        kind, named, jti = compact.header.get("typ", ""), claims.get("sub"), claims.get("jti")
        if not isinstance(kind, str) or kind.lower().removeprefix("application/") not in _KINDS:
            raise Malformed("the assertion is a token of another kind (typ)")
        if not isinstance(named, str) or claims.get("iss") != named:
            raise Malformed("the assertion does not name its client in iss and sub")
        audience = claims.get("aud")
        if not isinstance(audience, str) or audience not in self._audiences:  # a list could name another server beside us
            raise Malformed("the assertion is not for us alone (aud)")
        end, begin = seconds(claims, "exp"), max(seconds(claims, "iat", 0), seconds(claims, "nbf", 0))
        if not now < end <= now + LONGEST_LIFE + LEEWAY or begin > now + LEEWAY:
            raise Malformed("the assertion has ended, has not begun, or lives for too long")
        if not isinstance(jti, str) or not 0 < len(jti) <= _LONGEST_JTI:
            raise Malformed("the assertion has no jti, or one that is too long")
        return named, int(end - now) + 2, jti


def _keys(client: Client) -> Sequence[PublicKey]:
    try:
        return read_keys(client.details.jwks)[:MOST_KEYS]
    except BadKey:
        return ()


def _signed(compact: Compact, keys: Sequence[PublicKey]) -> bool:
    kid, algorithm = compact.header.get("kid"), compact.header.get("alg")
    named = [key for key in keys if kid is not None and key.kid == kid]
    return any(key.verifies(algorithm, compact.signed, compact.signature) for key in named or keys)
