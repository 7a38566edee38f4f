"""Somebody who holds a private key, and what can be made with it, right or spoiled: tokens, assertions, proofs, certificates."""

import base64
import hashlib
import json
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any
from urllib.parse import quote

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from joserfc.jwk import ECKey, OKPKey, RSAKey
from joserfc.jws import JWSRegistry

from gateway.oauth.jws import is_low

ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551  # of the group of P-256
ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_KINDS: Mapping[str, Any] = {
    "ES256": lambda: ECKey.generate_key("P-256"), "RS256": lambda: RSAKey.generate_key(2048),
    "PS256": lambda: RSAKey.generate_key(2048), "EdDSA": lambda: OKPKey.generate_key("Ed25519"),
    "ES384": lambda: ECKey.generate_key("P-384"),
}  # fmt: skip


class Holder:
    """One key. `kid` is told in its JWK and, where there is one, in the header of its tokens."""

    def __init__(self, algorithm: str = "ES256", kid: str = "", key: Any = None) -> None:
        self.algorithm, self.kid, self.key = algorithm, kid, key or _KINDS[algorithm]()

    @property
    def jwk(self) -> dict[str, Any]:
        public = {name: value for name, value in self.key.as_dict(private=False).items() if name not in ("kid", "use")}
        return public | ({"kid": self.kid} if self.kid else {})

    @property
    def thumbprint(self) -> str:
        return str(self.key.thumbprint())

    def sign(self, header: Mapping[str, Any] | bytes, claims: Mapping[str, Any] | bytes) -> str:
        """A true signature over whatever is said; of ES256's two the one that is accepted as ours."""
        parts = [part if isinstance(part, bytes) else json.dumps(part).encode() for part in (header, claims)]
        text = b".".join(encoded(part) for part in parts)
        signature = JWSRegistry.algorithms[self.algorithm].sign(text, self.key)
        if self.algorithm == "ES256" and not is_low(signature):
            signature = mirrored(signature)
        return (text + b"." + encoded(signature)).decode()

    def token(self, claims: Mapping[str, Any], **header: Any) -> str:
        told = {"alg": self.algorithm, "typ": "at+jwt"} | ({"kid": self.kid} if self.kid else {}) | header
        return self.sign({name: value for name, value in told.items() if value is not None}, claims)

    def assertion(self, client: str, audience: Any, now: datetime, header: Mapping[str, Any] | None = None, **claims: Any) -> str:
        seconds = int(now.timestamp())
        said = {"iss": client, "sub": client, "aud": audience, "iat": seconds, "exp": seconds + 60, "jti": secrets.token_hex(8)}
        told = {"alg": self.algorithm, "typ": "JWT"} | ({"kid": self.kid} if self.kid else {}) | dict(header or {})
        return self.sign(_without_none(told), _without_none(said | claims))

    def proof(
        self, method: str, url: str, now: datetime, token: str = "", header: Mapping[str, Any] | None = None, **claims: Any
    ) -> str:
        said: dict[str, Any] = {"htm": method, "htu": url, "iat": int(now.timestamp()), "jti": secrets.token_hex(8)}
        if token:
            said["ath"] = encoded(hashlib.sha256(token.encode()).digest()).decode()
        told = {"alg": self.algorithm, "typ": "dpop+jwt", "jwk": self.jwk} | dict(header or {})
        return self.sign(_without_none(told), _without_none(said | claims))


@cache
def rsa(algorithm: str = "RS256") -> Holder:
    """Made once a run: an RSA key takes longer than most tests."""
    return Holder(algorithm)


def mirrored(signature: bytes) -> bytes:
    """The other ES256 signature that verifies as well: (r, n - s) for (r, s)."""
    return signature[:32] + (ORDER - int.from_bytes(signature[32:])).to_bytes(32)


def encoded(raw: bytes) -> bytes:
    return base64.urlsafe_b64encode(raw).rstrip(b"=")


def certificate(subject: str = "CN=northwind,O=Northwind Devices", key: Any = None) -> bytes:
    """A self-signed one, DER."""
    key = key or ec.generate_private_key(ec.SECP256R1())
    name, begin = x509.Name.from_rfc4514_string(subject), datetime(2026, 1, 1, tzinfo=UTC)
    made = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), begin, begin + timedelta(days=3650))
    return made.sign(key, SHA256()).public_bytes(Encoding.DER)


def x5t(der: bytes) -> str:
    return encoded(hashlib.sha256(der).digest()).decode()


def rfc9440(der: bytes) -> str:
    return f":{base64.b64encode(der).decode()}:"


def escaped_pem(der: bytes) -> str:
    return quote(x509.load_der_x509_certificate(der).public_bytes(Encoding.PEM).decode(), safe="")


def _without_none(said: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in said.items() if value is not None}
