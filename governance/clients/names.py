"""Names of a contract as programs may write them: unique where they must be, the same for the same contract."""

import keyword
import re
from collections.abc import Collection

_WORDS = re.compile(r"[A-Za-z0-9]+", re.ASCII)


def pascal(name: str) -> str:
    """order_state, order-state and OrderState are all OrderState."""
    joined = "".join(word[0].upper() + word[1:] for word in _WORDS.findall(name)) or "Unnamed"
    return joined if joined[0].isalpha() else f"N{joined}"


def snake(name: str) -> str:
    """Idempotency-Key is idempotency_key; what Python or a client has a use for gets an underscore."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name)
    joined = "_".join(word.lower() for word in _WORDS.findall(spaced)) or "unnamed"
    joined = joined if joined[0].isalpha() else f"n_{joined}"
    return f"{joined}_" if keyword.iskeyword(joined) or joined == "self" else joined


def camel(name: str) -> str:
    """order_state is orderState."""
    joined = pascal(name)
    return joined[0].lower() + joined[1:]


def unique(wanted: str, taken: Collection[str]) -> str:
    """The name itself, or with the first number that makes it another than those taken."""
    name, number = wanted, 2
    while name in taken:
        name, number = f"{wanted}{number}", number + 1
    return name
