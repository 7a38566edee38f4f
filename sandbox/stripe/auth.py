"""Secret and restricted keys, as Bearer token or as the user of Basic; nothing else gets in."""

import binascii
from base64 import b64decode

from sandbox.stripe import errors

KEYS = frozenset({"sk_test_sandbox", "rk_test_sandbox"})
EXPIRED = frozenset({"sk_test_expired"})


def authenticate(header: str | None) -> None:
    """Raises Refused (401, the vendor's body) unless the Authorization header carries a good key."""
    key = _key(header)
    if key in KEYS:
        return
    if not key:
        raise errors.unauthorized(
            "You did not provide an API key. You need to provide your API key in the Authorization header, "
            "using Bearer auth (e.g. 'Authorization: Bearer YOUR_SECRET_KEY')."
        )
    if key.startswith("pk_"):
        message = "This API call cannot be made with a publishable API key. Please use a secret API key."
        raise errors.unauthorized(message, "secret_key_required")
    if key in EXPIRED:
        raise errors.unauthorized(f"Expired API Key provided: {_masked(key)}", "api_key_expired")
    raise errors.unauthorized(f"Invalid API Key provided: {_masked(key)}")


def _key(header: str | None) -> str | None:
    scheme, _, value = (header or "").partition(" ")
    match scheme.lower():
        case "bearer":
            return value.strip()
        case "basic":
            try:
                return b64decode(value, validate=True).decode().partition(":")[0]
            except (binascii.Error, UnicodeDecodeError):
                return None
        case _:
            return None


def _masked(key: str) -> str:
    """Enough of a key to recognise it, as the vendor shows it."""
    return key[:8] + "*" * max(0, len(key) - 12) + key[-4:] if len(key) > 12 else "*" * len(key)
