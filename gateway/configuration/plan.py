"""Before a configuration is put in force: what it changes, and which of the last day's calls it would decide differently."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gateway.configuration.bundle import Bundle
from gateway.configuration.changes import Changes, changes
from gateway.configuration.check import checked, loaded
from gateway.configuration.holders import Holder, strays
from gateway.configuration.rehearsal import Rehearsal, rehearse
from gateway.configuration.snapshot import told
from kernel.settings import Settings

Call = tuple[Mapping[str, Any], Mapping[str, Any]]


@dataclass(frozen=True)
class Plan:
    """`before` None: nothing is in force yet."""

    before: str | None
    after: str
    changes: Changes
    clients: Sequence[str]
    rehearsal: Rehearsal

    def json(self) -> dict[str, Any]:
        said, found = self.changes, self.rehearsal
        return {
            "before": self.before, "after": self.after,
            "operations": {
                "added": list(said.added), "removed": list(said.removed),
                "changed": {each.operation: list(each.how) for each in said.changed},
            },
            "settings": list(said.settings), "restart": list(said.restart), "clients": list(self.clients),
            "calls": {
                "tried": found.calls, "from": found.first, "to": found.last, "different": found.differing,
                "groups": [vars(group) for group in sorted(found.groups.values(), key=lambda group: -group.count)],
            },
        }  # fmt: skip


async def plan(
    settings: Settings,
    wanted: Bundle,
    current: Bundle | None,
    calls: Iterable[Call],
    *,
    kept: Mapping[str, Any] | None = None,
    holders: Iterable[Holder] = (),
) -> Plan:
    """`calls`: of the decision log, the oldest first. `kept`: all settings of the last good configuration, where they are known.
    `holders`: the registered clients.

    Raises BadConfiguration when the new one cannot be used.
    """
    after = checked(wanted, settings)
    before = None if current is None else loaded(current, settings)
    was = dict(told(settings) if kept is None else kept)
    if before is not None:
        was |= dict(before.bundle.sections)
    said = changes(before.operations if before else (), after.operations, (was, told(settings)))
    tried = await rehearse(before, after, calls) if before is not None else Rehearsal()
    return Plan(current.digest if current else None, wanted.digest, said, list(strays(before, after, holders)), tried)
