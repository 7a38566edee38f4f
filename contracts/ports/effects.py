"""What a port's method does to the platform, said once on the port: it reads, it sets, or it creates.

The guard builds its protection from these marks at start, so no connector and no step repeats it.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeVar

from contracts.models.base import Model

F = TypeVar("F", bound=Callable[..., Awaitable[Any]])
MARK = "__trivium_effect__"


@dataclass(frozen=True)
class Reads:
    """Changes nothing: may be repeated freely."""


@dataclass(frozen=True)
class Sets:
    """Brings the object into a given state: repeating it changes nothing more."""


@dataclass(frozen=True)
class Creates:
    """Makes an object under the business key `new.key`: never repeated unless the platform is known not to have it.

    `found_by` asks the same port for the object: (port, new) -> the object or None.
    `keep_existing`: an object that exists under the key is the answer, even if it was created from other data.
    """

    found_by: Callable[[Any, Any], Awaitable[Model | None]]
    keep_existing: bool = False


Effect = Reads | Sets | Creates


def reads(method: F) -> F:
    setattr(method, MARK, Reads())
    return method


def sets(method: F) -> F:
    setattr(method, MARK, Sets())
    return method


def creates(*, found_by: Callable[[Any, Any], Awaitable[Model | None]], keep_existing: bool = False) -> Callable[[F], F]:
    def mark(method: F) -> F:
        setattr(method, MARK, Creates(found_by, keep_existing))
        return method

    return mark


def effects(port: type) -> dict[str, Effect]:
    """The marked methods of a port; a public method without a mark is a mistake of ours."""
    methods = {name: getattr(port, name) for name in vars(port) if not name.startswith("_") and callable(getattr(port, name))}
    unmarked = [name for name, method in methods.items() if not hasattr(method, MARK)]
    if unmarked:
        raise TypeError(f"{port.__name__}: say whether {', '.join(unmarked)} reads, sets or creates")
    return {name: getattr(method, MARK) for name, method in methods.items()}


class Safety(StrEnum):
    """How a platform lets a create be repeated without doubling, per operation; stated by its connector."""

    UPSERT = "upsert"  # by external id: repeating is harmless
    KEYED = "keyed"  # by the platform's idempotency key: repeating under the same key is harmless
    LOOK_UP = "look_up"  # only after a look-up that finds nothing
    PERSON = "person"  # nothing can tell: a person decides


@dataclass(frozen=True)
class Capability:
    """What is known of one create of one platform.

    `remembers_failures`: a 5xx is stored under the idempotency key, so a new key is needed after looking up.
    `look_up_lag`: seconds until a look-up surely sees what was created; 0 when it is immediate.
    """

    safety: Safety
    remembers_failures: bool = False
    look_up_lag: int = 0
