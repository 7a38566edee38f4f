"""Parameters by declaration: each endpoint says what it takes, everything else is `parameter_unknown`.

A shape is a dict of parameter name -> check; a check turns the wire's text into a value or raises Refused. Only the
parameters that were sent appear in the result; one sent empty to unset it appears as None.
"""

import re
from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from sandbox.stripe import errors
from sandbox.stripe.form import MAX_POSITION, Tree

Check = Callable[[Any, str], Any]


class Required:
    """A parameter without which the request is refused."""

    def __init__(self, check: Check) -> None:
        self.check = check

    def __call__(self, value: Any, name: str) -> Any:
        return self.check(value, name)


Shape = dict[str, Check]

_INTEGER = re.compile(r"-?[0-9]{1,18}")
_DECIMAL = re.compile(r"-?[0-9]{1,18}(\.[0-9]{1,12})?")


def read(tree: Tree, shape: Shape, prefix: str = "") -> dict[str, Any]:
    """The values of a request, checked against its declared shape."""
    surplus = [_named(prefix, name) for name in tree if name not in shape]
    if surplus:
        raise errors.unknown(surplus)
    for name, check in shape.items():
        if name not in tree and isinstance(check, Required):
            raise errors.missing(_named(prefix, name))
    return {name: shape[name](value, _named(prefix, name)) for name, value in tree.items()}


def _named(prefix: str, name: str) -> str:
    return f"{prefix}[{name}]" if prefix else name


def text(maximum: int = 5000, *, unset: bool = True) -> Check:
    """Text of at most `maximum` characters; an empty value unsets it, where that is allowed."""

    def check(value: Any, name: str) -> str | None:
        if not isinstance(value, str):
            raise errors.invalid(f"Invalid string: {name} must be a string", name)
        if len(value) > maximum:
            raise errors.invalid(f"Invalid string: {name}; must be at most {maximum} characters", name)
        if value == "" and not unset:
            raise _empty(name)
        return value or None

    return check


def _empty(name: str) -> errors.Refused:
    message = f"You passed an empty string for '{name}'. Remove it from the request or supply a non-empty value."
    return errors.invalid(message, name, "parameter_invalid_empty")


def integer(minimum: int | None = None, maximum: int | None = None, *, unset: bool = False) -> Check:
    def check(value: Any, name: str) -> int | None:
        if value == "" and unset:
            return None
        if not isinstance(value, str) or not _INTEGER.fullmatch(value):
            raise errors.invalid(f"Invalid integer: {value}", name, "parameter_invalid_integer")
        number = int(value)
        if minimum is not None and number < minimum:
            raise errors.invalid(f"This value must be greater than or equal to {minimum}.", name, "parameter_invalid_integer")
        if maximum is not None and number > maximum:
            raise errors.invalid(f"This value must be less than or equal to {maximum}.", name, "parameter_invalid_integer")
        return number

    return check


def decimal(value: Any, name: str) -> Decimal:
    if not isinstance(value, str) or not _DECIMAL.fullmatch(value):
        raise errors.invalid(f"Invalid decimal: {value}; must contain at most 12 decimal places.", name)
    try:
        return Decimal(value)
    except InvalidOperation:  # the pattern is stricter, so this guards a change of it
        raise errors.invalid(f"Invalid decimal: {value}", name) from None


def boolean(value: Any, name: str) -> bool:
    if value not in ("true", "false"):
        raise errors.invalid(f"Invalid boolean: {value}", name)
    return bool(value == "true")


def choice(*values: str, unset: bool = False) -> Check:
    def check(value: Any, name: str) -> str | None:
        if value == "" and unset:
            return None
        if value not in values:
            raise errors.invalid(f"Invalid {name}: must be one of {', '.join(values)}", name)
        return str(value)

    return check


def either(first: Check, second: Check) -> Check:
    """The second reading where the first refuses."""

    def check(value: Any, name: str) -> Any:
        try:
            return first(value, name)
        except errors.Refused:
            return second(value, name)

    return check


def group(shape: Shape, *, unset: bool = False) -> Check:
    def check(value: Any, name: str) -> dict[str, Any] | None:
        if value == "" and unset:
            return None
        if not isinstance(value, dict):
            raise errors.invalid("Invalid object", name)
        return read(value, shape, name)

    return check


def array(item: Check, maximum: int = 100) -> Check:
    """A list; sent empty it is the empty list."""

    def check(value: Any, name: str) -> list[Any]:
        if value == "":
            return []
        if not isinstance(value, dict) or not all(k.isascii() and k.isdigit() for k in value):
            raise errors.invalid("Invalid array", name)
        if len(value) > maximum or any(len(k) > 4 or int(k) > MAX_POSITION for k in value):
            raise errors.invalid(f"Array {name} exceeded maximum {maximum} allowed elements.", name)
        return [item(value[k], f"{name}[{k}]") for k in sorted(value, key=int)]

    return check


def table(item: Check) -> Check:
    """Text keys of the caller's choice, as in a meter event's payload."""

    def check(value: Any, name: str) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise errors.invalid("Invalid object", name)
        return {k: item(v, f"{name}[{k}]") for k, v in value.items()}

    return check


def metadata(value: Any, name: str) -> dict[str, str | None]:
    """Changes to metadata: a key with None is to be removed; the key "" with None removes all that were there."""
    if value == "":
        return {"": None}
    if not isinstance(value, dict) or not all(isinstance(v, str) for v in value.values()):
        raise errors.invalid("Invalid metadata: must be a hash of strings", name)
    for key, text_ in value.items():
        if len(key) > 40:
            message = f"Metadata keys can have up to 40 characters; the key '{key}' has {len(key)}."
            raise errors.invalid(message, f"{name}[{key}]")
        if len(text_) > 500:
            message = f"Metadata values can have up to 500 characters, but you passed in a value that is {len(text_)} characters."
            raise errors.invalid(message, f"{name}[{key}]")
    return {k: v or None for k, v in value.items()}


def changed_metadata(current: Mapping[str, str], changes: Mapping[str, str | None]) -> dict[str, str]:
    """Metadata after the changes. Raises Refused when more than 50 keys would remain."""
    merged = {} if "" in changes else dict(current)
    merged |= {k: v for k, v in changes.items() if k and v is not None}
    for key, value in changes.items():
        if value is None:
            merged.pop(key, None)
    if len(merged) > 50:
        raise errors.invalid("You can have up to 50 metadata keys.", "metadata")
    return merged


def ranged(value: Any, name: str) -> dict[str, int]:
    """`created=1` or `created[gte]=1`: the bounds as a dict of eq, gt, gte, lt, lte."""
    number = integer()
    if isinstance(value, str):
        return {"eq": number(value, name)}
    return read(value, dict.fromkeys(("gt", "gte", "lt", "lte"), number), name)


def within(at: int | None, bounds: Mapping[str, int]) -> bool:
    """Whether a time satisfies the bounds that `ranged` read."""
    if at is None:
        return False
    tests = {"eq": at.__eq__, "gt": at.__gt__, "gte": at.__ge__, "lt": at.__lt__, "lte": at.__le__}
    return all(tests[bound](limit) for bound, limit in bounds.items())


ADDRESS: Shape = {part: text(unset=True) for part in ("city", "country", "line1", "line2", "postal_code", "state")}
EXPAND: Shape = {"expand": array(text(unset=False))}
PAGE: Shape = EXPAND | {"limit": integer(1, 100), "starting_after": text(unset=False), "ending_before": text(unset=False)}
SEARCH: Shape = EXPAND | {"limit": integer(1, 100), "page": text(unset=False), "query": Required(text(unset=False))}
