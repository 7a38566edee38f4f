"""`trivium audit`: who changed what, and the proof that nobody has changed the record of it since."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from contracts.models.audit import AuditEntry
from gateway.audit.anchors import AnchorFile, from_log
from gateway.audit.chain import Place
from gateway.audit.opening import KEY_FILE, audit_key
from gateway.audit.reading import page
from gateway.audit.store import AuditStore, Wanted
from gateway.audit.verification import Verdict
from gateway.audit.verification import verify as verify_chains
from kernel.db import Database
from kernel.settings import Settings
from trivium.terminal import err, out, refuse, run, settings_in_force

app = typer.Typer(no_args_is_help=True, help="Who changed what, and the proof that the record of it is whole.")
SHOWN_AT_ONCE = 200


@app.command("verify")
def audit_verify(
    anchors: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="A log that was kept elsewhere, in which anchors are.")
    ] = None,
) -> None:
    """Follow every chain from its first entry to its last; exit code 1 names the first place at which one was broken."""
    settings = settings_in_force()
    if settings.audit.key is None and not (settings.data / KEY_FILE).exists():
        refuse(f"there is no {KEY_FILE} in {settings.data}: either nothing was recorded yet, or it was taken away")
    told = [] if anchors is None else from_log(anchors.read_text(encoding="utf-8", errors="replace").splitlines())
    verdict, wrong = run(lambda: _verified(settings, told))
    for line in wrong:
        err.print(f"[bold red]broken:[/] {line}", highlight=False)
    for one in verdict.breaks:
        place = f"chain {one.chain}" if one.seq < 0 else f"chain {one.chain}, entry {one.seq}"
        err.print(f"[bold red]broken:[/] {place}: {one.why}", highlight=False)
    if verdict.breaks or wrong:
        raise typer.Exit(1)
    lost = f"; {verdict.lost} were given up while the database was away" if verdict.lost else ""
    out.print(f"[green]{verdict.entries} entries in {verdict.chains} chains are whole[/]{lost}", highlight=False)
    for chain in verdict.open:
        out.print(f"[dim]chain {chain} has no end: its process is running, or was killed[/]", highlight=False)


@app.command("show")
def audit_show(
    since: Annotated[datetime | None, typer.Option(help="From this moment (UTC) on.")] = None,
    client: Annotated[str | None, typer.Option(help="Of this client only.")] = None,
    operation: Annotated[str | None, typer.Option(help="Of this operation only, e.g. process.orders.v1.submit_order.")] = None,
    most: Annotated[int, typer.Option(min=1, max=100_000, help="How many at most, the latest first.")] = 100,
    as_json: Annotated[bool, typer.Option("--json", help="One entry a line, for programs.")] = False,
) -> None:
    """Show the latest entries."""
    wanted = Wanted(client, operation, None if since is None else since.replace(tzinfo=UTC))
    settings = settings_in_force()
    entries = run(lambda: _found(settings, wanted, most))
    if as_json:
        for entry in entries:
            out.print(entry.model_dump_json(exclude_none=True), highlight=False, soft_wrap=True, markup=False)
        return
    table = Table("when", "who", "what", "ids", "how it ended", "correlation id")
    for entry in entries:
        table.add_row(*_row(entry))
    out.print(table)


def _row(entry: AuditEntry) -> tuple[str, ...]:
    who = entry.client or (f"{entry.claimed} (unproved)" if entry.claimed else "")
    if entry.subject not in (None, entry.client):
        who += f" for {entry.subject}"
    ended = entry.problem or ("" if entry.kind != "call" else "the caller left" if not entry.status else "")
    ids = ", ".join(f"{name}={value}" for name, value in entry.ids.items())
    status = f"{entry.status or ''} {ended}".strip()
    return f"{entry.at:%Y-%m-%d %H:%M:%S}", who, entry.operation or entry.kind, ids, status, entry.correlation_id or ""


async def _verified(settings: Settings, told: Sequence[Place]) -> tuple[Verdict, list[str]]:
    key = audit_key(settings.data, settings.audit)
    places, wrong = AnchorFile(settings.data, key).read()
    async with _store(settings) as store:
        return await verify_chains(store, key, [*places, *told]), wrong


async def _found(settings: Settings, wanted: Wanted, most: int) -> list[AuditEntry]:
    found: list[AuditEntry] = []
    cursor: str | None = None
    async with _store(settings) as store:
        while len(found) < most:
            part = await page(store, wanted, cursor, min(SHOWN_AT_ONCE, most - len(found)))
            found, cursor = [*found, *part.items], part.next
            if cursor is None:
                break
    return found


@asynccontextmanager
async def _store(settings: Settings) -> AsyncIterator[AuditStore]:
    if settings.embedded and not settings.database_url and not (settings.data / "trivium.sqlite").exists():
        refuse(f"there is no database in {settings.data} yet; it is made by the first start")
    database = Database(settings.database)
    try:
        await database.create_all()
        yield AuditStore(database)
    finally:
        await database.close()
