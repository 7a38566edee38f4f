"""What a process goes by when it starts: its files if they are new, else what was put in force last, else the last good one."""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import structlog

from gateway.configuration.bundle import BadConfiguration, Bundle
from gateway.configuration.history import Entry, History
from gateway.configuration.recovery import LastGoodSettings
from gateway.configuration.snapshot import last_good
from gateway.configuration.source import Files
from kernel.problem import NotFound
from kernel.settings import Settings


@dataclass(frozen=True)
class Candidate:
    """One configuration that may be used. `number` 0: it has none yet. `last_good`: it comes from this machine's disk."""

    bundle: Bundle
    origin: str
    number: int = 0
    last_good: bool = False


@dataclass(frozen=True)
class Candidates:
    """In their order. `faults`: why the files are not among them; `newest`: the number in force last."""

    found: Sequence[Candidate]
    faults: Sequence[str]
    newest: int

    def inspect(self, *, strict: bool) -> Iterator[Candidate]:
        """One after the other until one will do; where it is strict the files have to be all right, and the first has to do."""
        if strict:
            yield from [] if self.faults else self.found[:1]
        else:
            yield from self.found


async def candidates(settings: Settings, files: Files, history: History) -> Candidates:
    """Files that have changed since they were last looked at come first: whoever changes them and restarts, applies them.

    Files that have not changed do not undo what was put in force after them, such as a way back.
    """
    faults: list[str] = list(settings.faults) if isinstance(settings, LastGoodSettings) else []
    ours = None if faults else await _as_the_files_stand(settings, files, faults)
    newest = await history.newest()
    latest = await _entry(history, newest)
    found = []
    if latest is not None:
        entry, bundle = latest
        if ours is not None and bundle.digest == ours.digest:
            bundle = ours  # whose contracts are parsed already
        found.append(Candidate(bundle, f"configuration {entry.number}", entry.number))
    if ours is not None:
        unchanged = latest is not None and latest[0].files == ours.digest
        found.insert(len(found) if unchanged else 0, Candidate(ours, "the files"))
    disk = await _from_disk(settings)
    if disk is not None:
        found.append(Candidate(disk, "the last good one on disk", last_good=True))
    return Candidates(found, faults, newest)


async def _as_the_files_stand(settings: Settings, files: Files, faults: list[str]) -> Bundle | None:
    try:
        return await asyncio.to_thread(files.bundle, settings)
    except BadConfiguration as error:
        faults += error.faults
        return None


async def _entry(history: History, number: int) -> tuple[Entry, Bundle] | None:
    if not number:
        return None
    try:
        return await history.entry(number)
    except (NotFound, BadConfiguration) as error:
        structlog.get_logger("configuration").error("what was put in force last cannot be read", reason=str(error))
        return None


async def _from_disk(settings: Settings) -> Bundle | None:
    try:
        snapshot = await asyncio.to_thread(last_good, settings.data)
    except BadConfiguration as error:
        structlog.get_logger("configuration").error("the last good configuration cannot be read", reason=str(error))
        return None
    return None if snapshot is None else snapshot.bundle
