"""Which configuration is in force in this process: chosen at start, replaced on demand, and followed where another process did.

A configuration is built aside and whole before anything changes; one that cannot be built changes nothing. Its number, taken in
the database, is what every process of the deployment follows.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, suppress
from typing import Any

import structlog
from sqlalchemy.exc import SQLAlchemyError
from starlette.types import ASGIApp

from gateway.configuration.bundle import BadConfiguration, Bundle
from gateway.configuration.check import Checked, checked, loaded
from gateway.configuration.choice import Candidate, candidates
from gateway.configuration.heap import growing
from gateway.configuration.history import Entry, History
from gateway.configuration.snapshot import keep
from gateway.configuration.source import Files
from gateway.configuration.standing import Standing
from gateway.contracts import BadContract
from gateway.live import Edition, Live
from kernel.problem import Conflict, Invalid
from kernel.secrets import SecretMissing
from kernel.settings import Settings

Build = Callable[[Checked, AsyncExitStack], Awaitable[ASGIApp]]
InForce = Callable[[Checked], None]
MOST_FAULTS = 200  # that are told at once

log = structlog.get_logger("configuration")


class Control:
    """`build` makes a door; what it opens for that door alone it leaves in the exit stack. `in_force` hears of each swap."""

    def __init__(self, settings: Settings, files: Files, history: History, build: Build, in_force: InForce) -> None:
        self._settings, self._files, self.history, self._build, self._in_force = settings, files, history, build, in_force
        self._changing = asyncio.Lock()
        self._latest = settings  # as they were read last
        self._refused = 0  # the number of a configuration that cannot be used here
        self._follower: asyncio.Task[None] | None = None
        self.live = Live(Edition(_not_yet))
        self.standing = Standing()

    async def start(self, part: str) -> Live:
        """Takes the first candidate that can be built. Raises BadConfiguration when none can, or the first cannot and must."""
        with growing():
            return await self._started(part)

    async def _started(self, part: str) -> Live:
        found = await candidates(self._settings, self._files, self.history)
        faults: list[str] = list(found.faults)
        for candidate in found.inspect(strict=self._settings.configuration.strict):
            try:
                edition, built = await self._built(candidate.bundle, candidate.number)
            except BadConfiguration as error:
                faults += [f"{candidate.origin}: {fault}" for fault in error.faults]
                self._refused = max(self._refused, candidate.number)
                continue
            await self._recorded(candidate, edition, found.newest)
            self.live = Live(edition)
            await self._enforced(edition, built, faults)
            self._follower = asyncio.get_running_loop().create_task(self._follow(part))
            return self.live
        raise BadConfiguration(faults)

    async def close(self) -> None:
        if self._follower is not None:
            self._follower.cancel()
            with suppress(asyncio.CancelledError):
                await self._follower
        with suppress(SQLAlchemyError):
            await self.history.leave(self.standing.id)
        await self.live.close()

    async def apply(self, by: str, expected: str = "") -> Entry:
        """Puts in force what the files say. `expected`: the digest that was planned.

        Raises Invalid with all faults, or Conflict when the files, or what is in force, are not what they were.
        """
        async with self._changing:
            try:
                settings, bundle = await asyncio.to_thread(self._files.read)
            except BadConfiguration as error:
                raise refusal(error) from None
            self._latest = settings
            if expected not in ("", bundle.digest):
                raise Conflict("the files are not those that were planned", fix="plan again, then apply", digest=bundle.digest)
            newest = await self.history.newest()
            if newest and bundle.digest == self.live.edition.digest and newest == self.live.edition.number:
                entry, _ = await self.history.entry(newest)  # it is in force already
                if entry.files == bundle.digest:
                    return entry
            return await self._change(bundle, bundle.digest, by, "applied")

    async def restore(self, number: int, by: str) -> Entry:
        """Puts in force again what was in force under that number. Raises NotFound, Invalid or Conflict."""
        async with self._changing:
            _, bundle = await self.history.entry(number)
            try:
                _, files = await asyncio.to_thread(self._files.read)
                digest = files.digest
            except BadConfiguration:
                digest = ""
            return await self._change(bundle, digest, by, f"back to {number}")

    def waiting_for_restart(self) -> list[str]:
        """Settings that differ from those this process was started with, and that only a restart takes over."""
        return self.standing.restart(self._settings, self._latest)

    async def _change(self, bundle: Bundle, files: str, by: str, reason: str) -> Entry:
        newest = await self.history.newest()
        try:
            edition, built = await self._built(bundle, newest + 1)
        except BadConfiguration as error:
            raise refusal(error) from None
        try:
            kept = built.settings.configuration.history
            edition.number = await self.history.add(bundle, files, by, reason, after=newest, keep=kept)
        except BaseException:
            await edition.closing.aclose()
            raise
        self.live.swap(edition)
        await self._enforced(edition, built, [])
        entry, _ = await self.history.entry(edition.number)
        return entry

    async def _built(self, bundle: Bundle, number: int) -> tuple[Edition, Checked]:
        with growing():
            return await self._build_aside(bundle, number)

    async def _build_aside(self, bundle: Bundle, number: int) -> tuple[Edition, Checked]:
        found = await asyncio.to_thread(loaded, bundle, self._settings)
        closing = AsyncExitStack()
        try:
            return Edition(await self._build(found, closing), bundle.digest, number, closing), found
        except (BadContract, SecretMissing, ValueError) as error:
            await closing.aclose()
            await asyncio.to_thread(checked, bundle, self._settings)  # which tells all faults of that kind, not the first only
            raise BadConfiguration(str(error).splitlines()) from None
        except BaseException:
            await closing.aclose()
            raise

    async def _recorded(self, candidate: Candidate, edition: Edition, newest: int) -> None:
        """What the files brought is the newest configuration from now on, unless a process that started beside us was first."""
        if candidate.number:
            return
        if candidate.last_good:
            self._refused = newest
            return
        keeping = self._settings.configuration.history
        try:
            edition.number = await self.history.add(
                candidate.bundle, edition.digest, "start", "the files at start", after=newest, keep=keeping
            )
        except Conflict:
            entry, _ = await self.history.entry(await self.history.newest())
            edition.number = entry.number if entry.digest == edition.digest else 0

    async def _enforced(self, edition: Edition, built: Checked, faults: list[str]) -> None:
        self._in_force(built)
        self.standing.now(edition.number, edition.digest, faults[:MOST_FAULTS])
        for fault in faults[:MOST_FAULTS]:
            log.error("the configuration is broken, the last good one is in force", fault=fault, digest=edition.digest)
        try:
            await asyncio.to_thread(keep, built.settings.data, built.bundle, built.settings)
        except OSError as error:  # it is in force all the same
            log.error("the last good configuration cannot be kept on disk", reason=str(error))

    async def _follow(self, part: str) -> None:
        failing = False
        while True:
            try:
                await self._catch_up()
                await self.standing.report(self.history, part)
                failing = False
            except Exception as error:  # the database is away, or something nobody thought of: the door stays as it is
                if not failing:
                    log.error("what other processes put in force cannot be followed", reason=f"{type(error).__name__}: {error}")
                failing = True
            await asyncio.sleep(self._settings.configuration.follow)

    async def _catch_up(self) -> None:
        newest = await self.history.newest()
        if newest in (self.live.edition.number, self._refused, 0) or self._changing.locked():
            return
        async with self._changing:
            entry, bundle = await self.history.entry(newest)
            if entry.digest == self.live.edition.digest:
                self.live.edition.number = entry.number
                self.standing.now(entry.number, entry.digest, [])
                return
            try:
                edition, built = await self._built(bundle, entry.number)
            except BadConfiguration as error:
                self._refused = newest
                self.standing.refused(newest, error.faults[:MOST_FAULTS])
                log.error("a new configuration cannot be used here, the old one stays", number=newest, faults=error.faults[:20])
                return
            self.live.swap(edition)
            await self._enforced(edition, built, [])


def refusal(error: BadConfiguration) -> Invalid:
    """All that is wrong, as a problem."""
    shown = [{"detail": fault[:1000]} for fault in error.faults[:MOST_FAULTS]]
    return Invalid("the configuration cannot be used; the one in force stays", errors=shown)


async def _not_yet(*_: Any) -> None:
    raise RuntimeError("nothing is served before a configuration is in force")
