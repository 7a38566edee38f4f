"""Which settings a running gateway takes over from a new configuration, and which wait for a restart."""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import TypeAdapter, ValidationError

from kernel.settings import Settings

# What chains and doors are built from. The rest is opened once a process: databases, engines, connections, ports, keys.
GOVERNED = frozenset({"limits", "plans", "door", "cache", "consumption", "decisions", "services", "canaries", "mirrors"})
RESTART = frozenset(Settings.model_fields) - GOVERNED
# Keys of governed sections that are read once all the same, by what counts across configurations.
READ_ONCE = frozenset({"limits.patience", "limits.waiting", "limits.rest", "limits.lease", "limits.counters"})


def sections_of(settings: Settings) -> dict[str, Any]:
    """The governed sections as JSON has them; secrets are references there, and stay so."""
    said: dict[str, Any] = settings.model_dump(mode="json", include=set(GOVERNED))
    return said


def governed(settings: Settings, sections: Mapping[str, Any]) -> Settings:
    """These settings with those sections. Raises ValueError in words for a section that this program does not know."""
    unknown = sorted(set(sections) - GOVERNED)
    if unknown:
        raise ValueError(f"{', '.join(unknown)}: not known to this version of the program")
    found: dict[str, Any] = {}
    for name, said in sections.items():
        field = Settings.model_fields[name]
        kind: Any = Annotated[field.annotation, *field.metadata] if field.metadata else field.annotation
        try:
            found[name] = TypeAdapter(kind).validate_python(said)
        except ValidationError as error:
            raise ValueError("; ".join(faults_of(error, name))) from None
    return settings.model_copy(update=found)


def faults_of(error: ValidationError, *before: str) -> list[str]:
    """One line a fault, with the key it is about. Values are left out: they may be secrets."""
    return [f"{'.'.join((*before, *map(str, fault['loc'])))}: {fault['msg']}" for fault in error.errors(include_input=False)]
