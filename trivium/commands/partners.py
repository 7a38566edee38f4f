"""`trivium partners`: companies whose clients see their own accounts only, on a plan of their own."""

from collections.abc import Awaitable, Callable
from datetime import date, datetime
from typing import Annotated, TypeVar

import typer
from pydantic import ValidationError
from rich.table import Table

from contracts.models.partner import AccountsChange, NewPartner, Partner, PlanChange
from gateway.house import House
from gateway.oauth.clients import NewClient
from gateway.opening import open_house
from gateway.ops.partners import store_of
from gateway.partners.store import PartnerStore
from gateway.partners.usage import UsageBook, Wanted
from kernel.problem import Problem
from trivium.recorded import recorded
from trivium.terminal import out, refuse, run, settings_in_force

T = TypeVar("T")
PAGE = 200
WANTED = {
    "id": "the id of a partner: use lower case letters, digits and hyphens, e.g. acme",
    "name": "a name: use one line of at most 255 characters",
    "contact": "a contact: use one line of at most 255 characters",
    "plan": "a plan: use lower case letters, digits and hyphens, e.g. gold",
    "accounts": "an account: use connection/account_id, with the CRM's own id, e.g. salesforce/0018d00000AbCdEAAV",
}
app = typer.Typer(no_args_is_help=True, help="Companies whose clients see their own accounts only, on a plan of their own.")
PartnerId = Annotated[str, typer.Argument(metavar="PARTNER", help="The partner's id.")]
Reason = Annotated[str, typer.Option("--reason", help="Why; kept with the partner.")]
Accounts = Annotated[list[str] | None, typer.Option("--account", help="connection/account_id in the CRM; repeatable.")]
Day = Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="A day (UTC), included.")]


@app.command("add")
@recorded("id")
def partners_add(
    id: PartnerId,
    name: Annotated[str, typer.Argument(help="What the company is called.")],
    contact: Annotated[str, typer.Option(help="Whom to ask there.")],
    plan: Annotated[str, typer.Option(help="Which limits apply.")] = "default",
    account: Accounts = None,
) -> None:
    """Register a partner; the same again changes nothing."""
    new = _valid(lambda: NewPartner(id=id, name=name, contact=contact, plan=plan, accounts=account or []))
    _show(_done(lambda store: store.add(new)))


@app.command("list")
def partners_list() -> None:
    """Show the partners."""
    table = Table("partner", "name", "plan", "accounts", "state")
    for partner in _done(_all):
        table.add_row(partner.id, partner.name, partner.plan, str(len(partner.accounts)), partner.state)
    out.print(table)


@app.command("show")
def partners_show(id: PartnerId) -> None:
    """Show one partner with its accounts."""
    _show(_done(lambda store: store.get(id)))


@app.command("plan")
@recorded("id", "plan")
def partners_plan(id: PartnerId, plan: Annotated[str, typer.Argument(help="Which limits apply from now on.")]) -> None:
    """Put a partner on another plan; tokens from before are refused within a second."""
    change = _valid(lambda: PlanChange(plan=plan))
    _show(_done(lambda store: store.set_plan(id, change.plan)))


@app.command("accounts")
@recorded("id")
def partners_accounts(
    id: PartnerId, accounts: Annotated[list[str] | None, typer.Argument(help="connection/account_id of each; none: no account.")]
) -> None:
    """Say which accounts a partner sees from now on, all of them; tokens from before are refused within a second."""
    change = _valid(lambda: AccountsChange(accounts=accounts or []))
    _show(_done(lambda store: store.set_accounts(id, change.accounts)))


@app.command("client")
@recorded("id", "name")
def partners_client(
    id: PartnerId,
    name: Annotated[str, typer.Argument(help="What the client is called.")],
    scope: Annotated[list[str], typer.Option("--scope", help="What it may do, e.g. orders:write; repeatable.")],
    address: Annotated[list[str] | None, typer.Option("--address", help="A network it may call from; repeatable.")] = None,
) -> None:
    """Register a client with the partner's plan and accounts, and print its secret, once."""

    async def add(store: PartnerStore, _: House) -> NewClient:
        return await store.add_client(id, name, scope, address)

    made = run(lambda: _with_house(add))
    out.print(f"client_id      {made.client_id}\nclient_secret  {made.secret}\n", highlight=False)
    out.print("[dim]The secret is shown here once and kept only as a hash.[/]")


@app.command("suspend")
@recorded("id")
def partners_suspend(id: PartnerId, reason: Reason) -> None:
    """Close all its clients until it is resumed; every token is dead in every process within a second."""
    _show(_done(lambda store: store.suspend(id, reason)))


@app.command("resume")
@recorded("id")
def partners_resume(id: PartnerId) -> None:
    """Open the clients of a suspended partner again; they need new tokens."""
    _show(_done(lambda store: store.resume(id)))


@app.command("close")
@recorded("id")
def partners_close(id: PartnerId, reason: Reason) -> None:
    """Close a partner and all its clients for good."""
    _show(_done(lambda store: store.close(id, reason)))


@app.command("usage")
def partners_usage(
    id: Annotated[str | None, typer.Argument(metavar="[PARTNER]", help="Only this partner's.")] = None,
    client: Annotated[str | None, typer.Option(help="Only this client's.")] = None,
    since: Day = None,
    until: Day = None,
    most: Annotated[int, typer.Option(min=1, max=100_000, help="How many lines at most.")] = 1000,
) -> None:
    """Show how often which client called what, by day and by the class of the answers' status."""
    wanted = Wanted(partner=id, client=client, since=_day(since), until=_day(until))
    table = Table("day", "partner", "client", "operation", "status", "calls")

    async def read(_: PartnerStore, house: House) -> None:
        book, cursor = UsageBook(house.database), None
        while table.row_count < most:
            page = await book.page(wanted, Wanted(), cursor, min(PAGE, most - table.row_count))
            for line in page.items:
                table.add_row(line.day, line.partner or "", line.client_id, line.operation, line.status, str(line.calls))
            cursor = page.next
            if cursor is None:
                return

    run(lambda: _with_house(read))
    out.print(table)


async def _all(store: PartnerStore) -> list[Partner]:
    found: list[Partner] = []
    while page := await store.page(found[-1].id if found else None, PAGE):
        found += page
    return found


def _done(job: Callable[[PartnerStore], Awaitable[T]]) -> T:
    async def with_store(store: PartnerStore, _: House) -> T:
        return await job(store)

    return run(lambda: _with_house(with_store))


async def _with_house(job: Callable[[PartnerStore, House], Awaitable[T]]) -> T:
    async with open_house(settings_in_force(), "trivium-partners") as house:
        try:
            return await job(store_of(house), house)
        except Problem as problem:
            refuse(f"{problem.detail}{f'; {problem.fix}' if problem.fix else ''}")


def _valid(make: Callable[[], T]) -> T:
    try:
        return make()
    except ValidationError as error:
        refuse("; ".join(f"{e['input']!r} cannot be {WANTED.get(str(e['loc'][0]), e['msg'])}" for e in error.errors()))


def _day(moment: datetime | None) -> date | None:
    return None if moment is None else moment.date()


def _show(partner: Partner) -> None:
    why = f" ({partner.reason})" if partner.reason else ""
    out.print(f"{partner.id}  {partner.name}  {partner.state}{why}", highlight=False)
    out.print(f"  plan      {partner.plan}\n  contact   {partner.contact}", highlight=False)
    for account in partner.accounts:
        out.print(f"  account   {account}", highlight=False)
