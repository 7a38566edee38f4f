"""Private keys rest encrypted: AES-256-GCM under a key that is never in the database, each bound to its key id."""

import base64
import binascii
import os
import secrets
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from kernel.secrets import SecretRef

FILE = "key-encryption.key"
_NONCE = 12  # bytes, the length AES-GCM is defined for (NIST SP 800-38D)
_KEY = 32


class BadSeal(ValueError):
    """The key-encryption key is missing, malformed, open to others, or not the one that sealed what is in the database."""


class Seal:
    """Encrypts small secrets at rest."""

    def __init__(self, key: bytes) -> None:
        if len(key) != _KEY:
            raise BadSeal(f"the key-encryption key must be {_KEY} bytes, base64; make one with: openssl rand -base64 {_KEY}")
        self._cipher = AESGCM(key)

    def close(self, secret: bytes, name: str) -> bytes:
        """Seals a secret so that it opens only under the same name."""
        nonce = secrets.token_bytes(_NONCE)
        return nonce + self._cipher.encrypt(nonce, secret, name.encode())

    def open(self, sealed: bytes, name: str) -> bytes:
        """The secret again; raises BadSeal for another key, another name or a changed byte."""
        try:
            return self._cipher.decrypt(sealed[:_NONCE], sealed[_NONCE:], name.encode())
        except (InvalidTag, ValueError):
            raise BadSeal(
                f"the signing key {name} was sealed with another key-encryption key; every process needs the same one"
            ) from None


def load_seal(data: Path, given: SecretRef | None = None) -> Seal:
    """The seal from a reference, or from the file in the data directory, which is made (mode 0600) when there is none."""
    if given is not None:
        return Seal(decode(given.resolve(data).get_secret_value()))
    return Seal(key_in(data / FILE))


def key_in(place: Path) -> bytes:
    """The key in a file, which is made (mode 0600) when there is none. Raises BadSeal for one that others can read."""
    if not place.exists():
        _make(place)
    if place.stat().st_mode & 0o077:
        raise BadSeal(f"{place} can be read by others; run: chmod 600 {place}")
    return decode(place.read_text(encoding="ascii").strip())


def _make(place: Path) -> None:
    # Written aside and linked into place: of several processes that start at once one wins, and none reads half a key.
    place.parent.mkdir(parents=True, exist_ok=True)
    aside = place.with_name(f".{place.name}.{secrets.token_hex(8)}")
    descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(base64.urlsafe_b64encode(secrets.token_bytes(_KEY)) + b"\n")
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(aside, place)
        except FileExistsError:
            return
    finally:
        aside.unlink()


def decode(text: str) -> bytes:
    """A key as it is written in files and variables: base64 of either alphabet. Raises BadSeal."""
    try:
        return base64.b64decode(text.translate(str.maketrans("-_", "+/")), validate=True)
    except (binascii.Error, ValueError):
        raise BadSeal("the key-encryption key is not base64; make one with: openssl rand -base64 32") from None
