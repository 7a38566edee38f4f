"""Record ids: 15 letters and digits whose case counts, or 18 with a checksum that says the case; anything else is no id."""

import re

_FORM = re.compile(r"[A-Za-z0-9]{15}(?:[A-Z0-5]{3})?")
_CHECK = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"


def record_id(given: str) -> str | None:
    """The 18-character form; None for what cannot be an id, such as 18 characters whose checksum is wrong."""
    if not _FORM.fullmatch(given):
        return None
    full = given[:15] + "".join(_checksum(given[start : start + 5]) for start in (0, 5, 10))
    return full if full.startswith(given) else None


def _checksum(five: str) -> str:
    """Bit k says whether character k is upper case."""
    return _CHECK[sum(1 << k for k, character in enumerate(five) if character.isupper())]
