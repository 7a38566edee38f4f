"""`trivium users`: the people who sign in at the portal pages."""

from collections.abc import Awaitable, Callable
from typing import Annotated, TypeVar

import typer
from rich.table import Table

from gateway.house import House
from gateway.oauth.passwords import BadPassword
from gateway.oauth.users import BadUser
from gateway.opening import open_house
from gateway.ops.registrations import approved
from kernel.problem import Problem
from trivium.clients import approval, check_scopes
from trivium.recorded import recorded
from trivium.terminal import out, run, settings_in_force

T = TypeVar("T")
app = typer.Typer(no_args_is_help=True, help="The people who sign in at the portal pages, and what they may grant.")
Name = Annotated[str, typer.Argument(help="The user's name.")]
Password = Annotated[
    str, typer.Option(prompt=True, hide_input=True, confirmation_prompt=True, help="Asked for if left out, which is safer.")
]


@app.command("add")
@recorded("name", "partner")
def users_add(
    name: Name,
    scope: Annotated[list[str], typer.Option("--scope", help="What they may grant, e.g. orders:read; repeatable.")],
    password: Password,
    account: Annotated[list[str] | None, typer.Option("--account", help="connection/account_id; all if left out.")] = None,
    partner: Annotated[str | None, typer.Option(help="The partner they belong to.")] = None,
) -> None:
    """Add somebody who can sign in and let applications act for them."""

    async def add(house: House) -> str:
        check_scopes(house, scope)
        meant = await approved(house, approval(partner=partner, accounts=account), by="-")
        user = await house.oauth.users.add(name, password, scope, accounts=meant.accounts, partner=partner)
        return user.id

    out.print(f"user           {_done(add)}", highlight=False)


@app.command("list")
def users_list() -> None:
    """Show the users."""
    table = Table("user", "name", "state", "partner", "scopes", "accounts")
    for user in _done(lambda house: house.oauth.users.all()):
        accounts = "all" if user.accounts is None else " ".join(user.accounts)
        state = "active" if user.active else "closed"
        table.add_row(user.id, user.name, state, user.partner or "", " ".join(user.scopes), accounts)
    out.print(table)


@app.command("close")
@recorded("name")
def users_close(name: Name) -> None:
    """Let nobody sign in under this name, and end what was granted within a second."""
    _done(lambda house: house.oauth.users.close(name))


@app.command("reopen")
@recorded("name")
def users_reopen(name: Name) -> None:
    """Let them sign in again; what was granted before stays ended."""
    _done(lambda house: house.oauth.users.reopen(name))


@app.command("password")
@recorded("name")
def users_password(name: Name, password: Password) -> None:
    """Set another password, and end what was granted and who is signed in under the old one."""
    _done(lambda house: house.oauth.users.set_password(name, password))


def _done(job: Callable[[House], Awaitable[T]]) -> T:
    return run(lambda: _with_house(job))


async def _with_house(job: Callable[[House], Awaitable[T]]) -> T:
    async with open_house(settings_in_force(), "trivium-users") as house:
        try:
            return await job(house)
        except BadPassword as error:
            raise BadUser(str(error)) from None
        except Problem as problem:
            raise BadUser(problem.detail) from None
