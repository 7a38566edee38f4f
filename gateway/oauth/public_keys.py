"""A public key is read alone and strictly, so that one bad key spoils no other, and it says itself what it may verify.

Written on `cryptography` alone: joserfc imports a key set whole or not at all, and its ES256 takes a key of any curve.
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, EllipticCurvePublicNumbers
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicNumbers
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from gateway.oauth.jws import decode, encode

ALGORITHMS = ("ES256", "RS256", "PS256", "EdDSA")  # never `none`, never HMAC: what verifies must not be able to sign
MOST_KEYS = 100  # of one set; what comes after is not read
_LEAST_RSA, _MOST_RSA = 2048, 8192  # bits; a larger one costs more to use than a caller may cost
_SECRET = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})
_LONGEST_KID = 256

Verify = Callable[[bytes, bytes], object]  # signed, signature; raises InvalidSignature


class BadKey(ValueError):
    """Not a public key that we verify with; the message says why."""


@dataclass(frozen=True, slots=True)
class PublicKey:
    """One key. `kid` may be empty; `thumbprint` is RFC 7638's, by SHA-256."""

    kid: str
    thumbprint: str
    verifiers: Mapping[str, Verify]  # by algorithm

    def verifies(self, algorithm: object, signed: bytes, signature: bytes) -> bool:
        """Whether it is this key's signature by this algorithm; another kind of algorithm is never tried."""
        verify = self.verifiers.get(algorithm) if isinstance(algorithm, str) else None
        if verify is None:
            return False
        try:
            verify(signed, signature)
        except (InvalidSignature, ValueError):  # a length that no signature has
            return False
        return True


def read_key(jwk: object) -> PublicKey:
    """The key of a JWK (RFC 7517). Raises BadKey, for a private one too: whoever shows it has lost it."""
    if not isinstance(jwk, Mapping):
        raise BadKey("a key is a JSON object")
    if not _SECRET.isdisjoint(jwk):
        raise BadKey("the key is not a public one")
    if jwk.get("use", "sig") != "sig" or "verify" not in _list(jwk.get("key_ops", ["verify"])):
        raise BadKey("the key is not for signatures")
    kid = jwk.get("kid", "")
    if not isinstance(kid, str) or len(kid) > _LONGEST_KID:
        raise BadKey("the key's kid is no name")
    try:
        members, verifiers = _READERS[str(jwk.get("kty"))](jwk)
    except KeyError:
        raise BadKey("the key is of a kind that is not accepted") from None
    except (ValueError, TypeError) as error:
        raise error if isinstance(error, BadKey) else BadKey("the key cannot be read") from None
    named = jwk.get("alg")
    if named is not None:
        verifiers = {name: verify for name, verify in verifiers.items() if name == named}
    if not verifiers:
        raise BadKey("the key is for an algorithm that is not accepted")
    return PublicKey(kid, _thumbprint(members), verifiers)


def read_keys(jwks: object) -> list[PublicKey]:
    """The keys of a set that can be used; the others are left out. Raises BadKey when it is no set at all."""
    listed = jwks.get("keys") if isinstance(jwks, Mapping) else None
    if not isinstance(listed, list):
        raise BadKey("a key set is a JSON object with an array of keys")
    return list(_readable(listed[:MOST_KEYS]))


def _readable(listed: Iterable[object]) -> Iterable[PublicKey]:
    for jwk in listed:
        try:
            yield read_key(jwk)
        except BadKey:
            continue


def _ec(jwk: Mapping[str, Any]) -> tuple[dict[str, str], dict[str, Verify]]:
    if jwk["crv"] != "P-256":
        raise BadKey("the key's curve is not accepted")
    x, y = (_bytes(jwk[name]) for name in ("x", "y"))
    if len(x) != 32 or len(y) != 32:
        raise BadKey("the key's coordinates are not 32 bytes each")
    key = EllipticCurvePublicNumbers(int.from_bytes(x), int.from_bytes(y), SECP256R1()).public_key()  # refuses what is off curve

    def verify(signed: bytes, signature: bytes) -> None:
        if len(signature) != 64:
            raise InvalidSignature
        r, s = int.from_bytes(signature[:32]), int.from_bytes(signature[32:])
        key.verify(encode_dss_signature(r, s), signed, ECDSA(SHA256()))

    return {"crv": "P-256", "kty": "EC", "x": jwk["x"], "y": jwk["y"]}, {"ES256": verify}


def _rsa(jwk: Mapping[str, Any]) -> tuple[dict[str, str], dict[str, Verify]]:
    n, e = (int.from_bytes(_bytes(jwk[name])) for name in ("n", "e"))
    if not _LEAST_RSA <= n.bit_length() <= _MOST_RSA or not 3 <= e < 2**32:
        raise BadKey(f"an RSA key has {_LEAST_RSA} to {_MOST_RSA} bits and a small exponent")
    key = RSAPublicNumbers(e, n).public_key()
    pss = padding.PSS(mgf=padding.MGF1(SHA256()), salt_length=SHA256.digest_size)

    def rs256(signed: bytes, signature: bytes) -> None:
        key.verify(signature, signed, padding.PKCS1v15(), SHA256())

    def ps256(signed: bytes, signature: bytes) -> None:
        key.verify(signature, signed, pss, SHA256())

    members = {"e": _unsigned(e), "kty": "RSA", "n": _unsigned(n)}  # spelled anew: leading zeros make no other key
    return members, {"RS256": rs256, "PS256": ps256}


def _okp(jwk: Mapping[str, Any]) -> tuple[dict[str, str], dict[str, Verify]]:
    if jwk["crv"] != "Ed25519":
        raise BadKey("the key's curve is not accepted")
    key = Ed25519PublicKey.from_public_bytes(_bytes(jwk["x"]))

    def verify(signed: bytes, signature: bytes) -> None:
        key.verify(signature, signed)

    return {"crv": "Ed25519", "kty": "OKP", "x": jwk["x"]}, {"EdDSA": verify}


_READERS = {"EC": _ec, "RSA": _rsa, "OKP": _okp}


def _thumbprint(members: Mapping[str, str]) -> str:
    canonical = json.dumps(members, sort_keys=True, separators=(",", ":")).encode()
    return encode(hashlib.sha256(canonical).digest()).decode()


def _bytes(value: object) -> bytes:
    if not isinstance(value, str):
        raise BadKey("the key's members are texts")
    return decode(value.encode())


def _unsigned(number: int) -> str:
    return encode(number.to_bytes((number.bit_length() + 7) // 8)).decode()


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []
