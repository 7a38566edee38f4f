"""`trivium contracts publish` and what belongs to it: from a draft to a promise, and to its announced end."""

import getpass
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from gateway.house import CONTRACTS
from governance.agreement import read as read_document
from governance.agreement import write as write_document
from governance.changes.diff import diff
from governance.collection import collect
from governance.consumers import declared
from governance.consumers.observed import Seen, seen_applications
from governance.contract import Contract
from governance.lint.configuration import FILE as LINT_FILE
from governance.lint.configuration import BadConfiguration
from governance.lint.configuration import read as lint_configuration
from governance.node import Unresolved
from governance.publishing import evidence, lock, publish, signing
from governance.reports.entry import of_changes
from governance.reports.text import text
from governance.rules import RULES
from governance.source import Unreadable
from trivium.observed import DAYS, NotKnown, observed, users
from trivium.terminal import out, refuse, settings_in_force

HOME = CONTRACTS.parent
Which = Annotated[str, typer.Argument(metavar="API", help="The API and its major: process/quotes/v1.")]
Key = Annotated[str, typer.Option(help="The publishing key.")]
Observed = Annotated[bool, typer.Option("--observed/--no-observed", help="Whether to ask the database who used it lately.")]
Days = Annotated[int, typer.Option(min=1, max=400, help="How many days back a use is recent.")]
REFUSALS = (
    publish.Refused, signing.BadKey, lock.BadLock, Unreadable, Unresolved, BadConfiguration, NotKnown,
)  # fmt: skip


@contextmanager
def _in_words() -> Iterator[None]:
    try:
        yield
    except REFUSALS as error:
        refuse(str(error))


def make_key(name: Annotated[str, typer.Argument(help="Such as release-2026.")]) -> None:
    """Make a key to sign releases with: the public half beside the contracts, the private one in the data directory."""
    with _in_words():
        public = signing.make(name, HOME, _private(name))
        out.print(f"made {public.relative_to(HOME.parent)}; the private key is {_private(name)}", highlight=False)


def publish_contract(api: Which, key: Key = "release") -> None:
    """Make a promise of a draft: refused, with all reasons, unless rules, compatibility, tests and approvals stand."""
    with _in_words():
        release = publish.publish(_desk(key), _contract(api))
        _write_life(api)
        place = evidence.place(HOME, release.api, release.version).relative_to(HOME.parent)
        out.print(f"[green]published[/] {release.key} {release.version}  {release.digest}\nevidence: {place}", highlight=False)


def approve_contract(
    api: Which,
    team: Annotated[str, typer.Option("--as", help="The team that agrees.")],
    by: Annotated[str, typer.Option(help="The person who says so.")] = "",
) -> None:
    """Write down that a team agrees to a contract exactly as it stands."""
    with _in_words():
        digest = publish.approve(_desk(""), _contract(api), team, by or getpass.getuser())
        out.print(f"{team} agrees to {api} {digest}", highlight=False)


def deprecate_contract(
    api: Which,
    sunset: Annotated[str, typer.Option(help="The day after which it may be gone, YYYY-MM-DD.")],
    successor: Annotated[str, typer.Option(help="What replaces it: process/quotes/v2.")] = "",
) -> None:
    """Announce the end of a published contract: its answers say so from now on."""
    try:
        day = date.fromisoformat(sunset)
    except ValueError:
        refuse(f"{sunset} is not a day: YYYY-MM-DD")
    with _in_words():
        release = publish.deprecate(_desk(""), api, sunset=day, successor=successor)
        _write_life(api)
        out.print(f"{api} is deprecated and ends on {release.sunset}", highlight=False)


def retire_contract(
    api: Which,
    used_by: Annotated[list[str] | None, typer.Option(help="A client that was seen to use it lately; repeatable.")] = None,
    observe: Observed = True,
    days: Days = DAYS,
) -> None:
    """End a contract that has reached its sunset and was not called lately: it answers 410 from now on."""
    with _in_words():
        seen = observed(settings_in_force(), api, days) if observe else []
        if seen is None:
            out.print("[dim]there is no database here: who called it is not known[/]")
        publish.retire(_desk(""), api, [*(used_by or []), *users(seen or [])])
        _write_life(api)
        out.print(f"{api} is retired", highlight=False)


def impact(
    new: Annotated[str, typer.Argument(help="The changed contract: a file.")],
    old: Annotated[str, typer.Option(help="What it is compared with; what is in force if left out.")] = "",
    observe: Observed = True,
    days: Days = DAYS,
) -> None:
    """Name the applications and the clients seen lately that a changed contract breaks, or may; exit code 1 when there is one."""
    with _in_words():
        (changed,) = collect(new).values()
        api = lock.key(changed.api, changed.version)
        (before,) = collect(old).values() if old else (_contract(api),)
        found = diff(before, changed, today=date.today())
        applications = declared.read(HOME)
        hit = declared.impact([*applications, *(_seen(api, applications, days) if observe else [])], changed, found)
    for application, reasons in hit:
        out.print(f"[bold]{application.name}[/]  {application.team}  {application.contact}", highlight=False)
        typer.echo(text(of_changes(reasons), color=out.is_terminal, width=out.width))
    if not hit:
        out.print(f"no application that is known is touched ({len(found)} changes)", highlight=False)
    raise typer.Exit(bool(hit))


def mount(app: typer.Typer) -> None:
    """Adds these commands to `trivium contracts`."""
    app.command("key")(make_key)
    app.command("approve")(approve_contract)
    app.command("publish")(publish_contract)
    app.command("deprecate")(deprecate_contract)
    app.command("retire")(retire_contract)
    app.command("impact")(impact)


def _contract(api: str) -> Contract:
    file = CONTRACTS / f"{api}.yaml"
    if not file.is_file():
        raise Unreadable(f"there is no contract {api}; it would be {file.relative_to(HOME.parent)}")
    return Contract.load(file, CONTRACTS)


def _seen(api: str, applications: list[declared.Application], days: int) -> list[declared.Application]:
    """Clients that the gateway saw count as applications."""
    found = observed(settings_in_force(), api, days) or []
    seen = [Seen(one.client, one.partner, one.operation, frozenset(one.fields)) for one in found]
    return seen_applications(api, seen, applications)


def _desk(key: str) -> publish.Desk:
    return publish.Desk(
        HOME, settings_in_force().data / "evidence", declared.read(HOME), lint_configuration(HOME / LINT_FILE, RULES),
        date.today(), key, _private(key),
    )  # fmt: skip


def _private(key: str) -> Path:
    return settings_in_force().data / "publishing" / f"{key}.pem"


def _write_life(api: str) -> None:
    """The contract says of its life what the lock has."""
    file = CONTRACTS / f"{api}.yaml"
    write_document(lock.applied(read_document(file), lock.read(HOME / lock.FILE)), file)
