"""Record ids: 15 case-sensitive characters and the 3-character checksum that makes 18 (`001D000000IqhSL` -> `…IAZ`)."""

_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_CHECK = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
POD = "5g00000"


def long_id(short: str) -> str:
    """18 characters from 15: bit k of each checksum character says whether character k of its five is upper case."""
    check = [_CHECK[sum(1 << k for k, char in enumerate(short[group : group + 5]) if "A" <= char <= "Z")] for group in (0, 5, 10)]
    return short + "".join(check)


def record_id(prefix: str, number: int) -> str:
    """The id of the nth record under a three-character prefix; ids sort in the order they were given out."""
    digits = ""
    for _ in range(5):
        number, rest = divmod(number, 62)
        digits = _DIGITS[rest] + digits
    return long_id(prefix + POD + digits)


def full(given: str) -> str | None:
    """The 18-character form of a well-formed id, checksum verified; None for anything else."""
    if not given.isascii() or not given.isalnum():
        return None
    if len(given) == 15:
        return long_id(given)
    if len(given) == 18 and long_id(given[:15]).lower() == given.lower():
        return long_id(given[:15])
    return None


ORGANIZATION = record_id("00D", 1)
USER = record_id("005", 1)
