"""What a new configuration changes, in words: operation by operation, setting by setting."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, is_dataclass
from typing import Any

from gateway.configuration.differences import Difference, differences, shown
from gateway.configuration.sections import GOVERNED, READ_ONCE, RESTART
from gateway.pipeline import Operation

MOST_PER_OPERATION = 40  # differences of one operation that are told one by one
# What is compared field by field; the rest of a contract's operation is prose or answers.
_PLAIN = {
    "method": "method", "path": "path", "version": "version", "audience": "audience", "idempotency": "idempotency key",
    "timeout": "timeout (s)", "max_body": "largest body (bytes)", "public": "public", "body_required": "body required",
}  # fmt: skip
_NESTED = {
    "limits": "limits", "lifecycle": "lifecycle", "path_parameters": "path parameter", "query_parameters": "query parameter",
    "header_parameters": "header", "body_schema": "body",
}  # fmt: skip
_SETS = {"scopes": "scope", "required_query": "required query parameter", "required_headers": "required header"}
_TOLD_ALREADY = frozenset(
    {
        "x-trivium-limits", "x-trivium-idempotency", "x-trivium-timeout", "x-trivium-max-body", "x-trivium-lifecycle",
        "x-trivium-audience", "x-trivium-api", "x-trivium-layer",
    }
)  # fmt: skip


@dataclass(frozen=True)
class Changed:
    """One operation that stays but is not the same. `how`: one line each."""

    operation: str
    how: Sequence[str]


@dataclass(frozen=True)
class Changes:
    """Everything that becomes different. `restart`: settings that only a restart takes over."""

    added: Sequence[str]
    removed: Sequence[str]
    changed: Sequence[Changed]
    settings: Sequence[str]
    restart: Sequence[str]

    @property
    def none(self) -> bool:
        return not (self.added or self.removed or self.changed or self.settings or self.restart)


def changes(
    before: Iterable[Operation], after: Iterable[Operation], settings: tuple[Mapping[str, Any], Mapping[str, Any]]
) -> Changes:
    """`settings`: all of them as JSON, before and after."""
    old, new = ({operation.id: operation for operation in operations} for operations in (before, after))
    both = ((name, list(compared(old[name], new[name]))) for name in old if name in new)
    governed = _settings(*settings, GOVERNED)
    waiting = _settings(*settings, RESTART)  # by place alone: values there may be secrets
    return Changes(
        added=[_told(new[name]) for name in new if name not in old],
        removed=[_told(old[name]) for name in old if name not in new],
        changed=[Changed(name, how) for name, how in both if how],
        settings=[str(each) for each in governed if each.place not in READ_ONCE],
        restart=sorted([each.place for each in governed if each.place in READ_ONCE] + [each.place for each in waiting]),
    )


def compared(before: Operation, after: Operation) -> Iterator[str]:
    """What is not the same about one operation, one line each."""
    lines = list(_compared(before, after))
    yield from lines[:MOST_PER_OPERATION]
    if len(lines) > MOST_PER_OPERATION:
        yield f"and {len(lines) - MOST_PER_OPERATION} more differences"


def _compared(before: Operation, after: Operation) -> Iterator[str]:
    for field, words in _PLAIN.items():
        old, new = getattr(before, field), getattr(after, field)
        if old != new:
            yield f"{words}: {shown(old)} → {shown(new)}"
    for field, words in _SETS.items():
        old, new = getattr(before, field), getattr(after, field)
        yield from (f"{words} {name}: asked for from now on" for name in sorted(new - old))
        yield from (f"{words} {name}: no longer asked for" for name in sorted(old - new))
    for field, words in _NESTED.items():
        found = differences(_json(getattr(before, field)), _json(getattr(after, field)))
        yield from (f"{words} {difference}" for difference in found)
    if set(before.body_media) != set(after.body_media):
        yield f"media types of the body: {', '.join(before.body_media) or 'none'} → {', '.join(after.body_media) or 'none'}"
    for difference in differences(_extensions(before), _extensions(after)):
        yield str(difference)


def _extensions(operation: Operation) -> dict[str, Any]:
    return {name: _json(said) for name, said in operation.extensions.items() if name not in _TOLD_ALREADY}


def _settings(before: Mapping[str, Any], after: Mapping[str, Any], names: Iterable[str]) -> list[Difference]:
    return [found for name in sorted(names) for found in differences(before.get(name), after.get(name), name)]


def _json(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    if isinstance(value, Mapping):
        return {str(name): _json(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_json(inner) for inner in value]
    return value


def _told(operation: Operation) -> str:
    return f"{operation.id}  {operation.method} {operation.path}"
