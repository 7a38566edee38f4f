"""Bounds are numbers: a demand is met where the tightest of what is given is at least as tight."""

from decimal import Decimal, InvalidOperation
from typing import Any

from governance.changes.facts import Facts

LOWER = ("minLength", "minItems", "minProperties")
UPPER = ("maxLength", "maxItems", "maxProperties")
NUMERIC = ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf")
ALL = frozenset((*LOWER, *UPPER, *NUMERIC))
FROM_BELOW = frozenset((*LOWER, "minimum", "exclusiveMinimum"))


def met(keyword: str, facts: Facts, wanted: Any) -> bool:
    """Whether the facts keep to a bound, by this keyword or by one that says as much."""
    bound = _number(wanted)
    if bound is None:
        return False
    if keyword in LOWER:
        return bound <= 0 or any(found >= bound for found in _all(facts, keyword)) or _counted(keyword, facts) >= bound
    if keyword in UPPER:
        return any(found <= bound for found in _all(facts, keyword))
    if keyword == "multipleOf":
        return bound > 0 and (
            any(found % bound == 0 for found in _all(facts, keyword)) or ("number" not in facts.types and 1 % bound == 0)
        )
    return _numeric(keyword, facts, bound)


def most_items(facts: Facts) -> Decimal | None:
    """How many elements an array has at most; None: any number."""
    return min(_all(facts, "maxItems"), default=None)


def at_most_one(facts: Facts) -> bool:
    most = most_items(facts)
    return most is not None and most <= 1


def _counted(keyword: str, facts: Facts) -> int:
    return len(facts.required) if keyword == "minProperties" else 0


def _numeric(keyword: str, facts: Facts, bound: Decimal) -> bool:
    lower = keyword in ("minimum", "exclusiveMinimum")
    sign = 1 if lower else -1
    plain, exclusive = ("minimum", "exclusiveMinimum") if lower else ("maximum", "exclusiveMaximum")
    wanted = sign * bound
    if any(sign * found >= wanted for found in _all(facts, exclusive)):
        return True
    strict = keyword.startswith("exclusive")
    return any(sign * found > wanted or (sign * found == wanted and not strict) for found in _all(facts, plain))


def _all(facts: Facts, keyword: str) -> list[Decimal]:
    return [number for said in facts.all(keyword) if (number := _number(said.value)) is not None]


def _number(value: Any) -> Decimal | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        found = Decimal(str(value))
    except InvalidOperation:
        return None
    return found if found.is_finite() else None
