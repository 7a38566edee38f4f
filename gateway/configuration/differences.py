"""What differs between two JSON values, place by place, in words short enough for a line."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

LONGEST = 60  # characters of a value that are shown
_NAMES = ("policy", "name", "id")  # members by which the items of a list are told apart
_ABSENT: Any = object()


class Difference(NamedTuple):
    """`before` and `after` as they are shown; "nothing" where there is nothing."""

    place: str
    before: str
    after: str

    def __str__(self) -> str:
        return f"{self.place}: {self.before} → {self.after}" if self.place else f"{self.before} → {self.after}"


def differences(before: Any, after: Any, place: str = "") -> Iterator[Difference]:
    """Down to the smallest part that differs. Lists of named things are compared by name, others item by item."""
    if before == after and type(before) is type(after):
        return
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        yield from _members(before, after, place)
    elif _is_list(before) and _is_list(after) and (name := _name(before, after)):
        old, new = ({item[name]: item for item in items} for items in (before, after))
        yield from _members(old, new, place)
        order = [name for name in old if name in new], [name for name in new if name in old]
        if order[0] != order[1]:
            yield Difference(f"order of {place}", shown(order[0]), shown(order[1]))
    elif _is_list(before) and _is_list(after) and len(before) == len(after):
        for position, (old, new) in enumerate(zip(before, after, strict=True)):
            yield from differences(old, new, f"{place}[{position}]")
    else:
        yield Difference(place, shown(before), shown(after))


def shown(value: Any) -> str:
    if value is _ABSENT:
        return "nothing"
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=sorted)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def _members(before: Mapping[Any, Any], after: Mapping[Any, Any], place: str) -> Iterator[Difference]:
    for name in sorted({*before, *after}, key=str):
        inner = f"{place}.{name}" if place else str(name)
        yield from differences(before.get(name, _ABSENT), after.get(name, _ABSENT), inner)


def _is_list(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str)


def _name(*lists: Sequence[Any]) -> str | None:
    """The member that names every item of both lists, no name twice."""
    for name in _NAMES:
        found = [[item.get(name) for item in items if isinstance(item, Mapping)] for items in lists]
        whole = all(len(names) == len(items) for names, items in zip(found, lists, strict=True))
        if whole and all(all(isinstance(each, str) for each in names) and len(set(names)) == len(names) for names in found):
            return name
    return None
