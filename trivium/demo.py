"""What the bundled sandbox needs on this machine: its public test credentials, and a key pair of our own made at first use."""

import os
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from kernel.settings import Settings

ROOT = Path(__file__).parent.parent
EXAMPLE = ROOT / "trivium.example.toml"
KEY_ID = "trivium-sandbox"
# The imitations accept these and nothing else; they open no door but the sandbox's.
PUBLIC_CREDENTIALS = {"salesforce.secret": "sandbox-secret", "stripe.key": "sk_test_sandbox"}


def certificates_of(settings: Settings) -> Path:
    """The directory of public keys that the sandbox trusts."""
    return settings.data / "sandbox" / "certificates"


def prepare(settings: Settings) -> None:
    """Writes the credential files that trivium.example.toml names, where they are missing."""
    folder = settings.data / "sandbox"
    trusted = certificates_of(settings)
    trusted.mkdir(parents=True, exist_ok=True, mode=0o700)
    for name, value in PUBLIC_CREDENTIALS.items():
        _write_once(folder / name, value)
    private = folder / "netsuite.pem"
    if not private.exists():
        key = ec.generate_private_key(ec.SECP256R1())
        public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
        (trusted / f"netsuite.{KEY_ID}.pem").write_text(public, encoding="ascii")
        _write_once(private, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode())


def _write_once(file: Path, text: str) -> None:
    if file.exists():
        return
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
        out.write(text)
