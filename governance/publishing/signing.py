"""Who published something is known: releases are signed with Ed25519 keys whose public halves are kept with the contracts."""

import base64
import os
import re
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)  # fmt: skip

FOLDER = "keys"
NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,39}", re.ASCII)


class BadKey(ValueError):
    """A key cannot be made or used; the message says why."""


def make(name: str, contracts: Path, private: Path) -> Path:
    """Makes a key: the private half at `private`, readable by its owner only, the public one beside the contracts."""
    if not NAME.fullmatch(name):
        raise BadKey(f"{name} is no name for a key: lower-case letters, digits and hyphens")
    public = contracts / FOLDER / f"{name}.pem"
    if public.exists() or private.exists():
        raise BadKey(f"there is a key {name} already: {public if public.exists() else private}")
    key = Ed25519PrivateKey.generate()
    private.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with open(os.open(private, os.O_CREAT | os.O_WRONLY | os.O_EXCL, 0o600), "wb") as written:
        written.write(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    public.parent.mkdir(parents=True, exist_ok=True)
    public.write_bytes(key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    return public


def sign(private: Path, content: bytes) -> str:
    """Base64. Raises BadKey."""
    try:
        key = load_pem_private_key(private.read_bytes(), password=None)
    except (OSError, ValueError):
        raise BadKey(f"there is no usable key at {private}: make one with `trivium contracts key NAME`") from None
    if not isinstance(key, Ed25519PrivateKey):
        raise BadKey(f"{private} is no Ed25519 key")
    return base64.b64encode(key.sign(content)).decode()


def signed(contracts: Path, name: str, signature: str, content: bytes) -> bool:
    """Whether the key of that name, kept with the contracts, signed exactly this."""
    file = contracts / FOLDER / f"{name}.pem"
    if not NAME.fullmatch(name) or not file.is_file():
        return False
    try:
        key = load_pem_public_key(file.read_bytes())
        if not isinstance(key, Ed25519PublicKey):
            return False
        key.verify(base64.b64decode(signature, validate=True), content)
    except (ValueError, InvalidSignature):
        return False
    return True
