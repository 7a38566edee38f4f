"""`trivium keys`: the keys that sign our tokens."""

from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.table import Table

from gateway.oauth.client_rules import BadClient
from gateway.oauth.keys import KeyState, TooSoon
from gateway.opening import open_house
from kernel.settings import Settings
from trivium.recorded import recorded
from trivium.terminal import out, run, settings_in_force

app = typer.Typer(no_args_is_help=True, help="The keys that sign our tokens.")


@app.command("list")
def keys_list() -> None:
    """Show the signing keys: next is published and does not sign yet, retired is published as long as its tokens live."""
    table = Table("key", "state", "made", "signs since", "retired")
    for key in run(lambda: _all(settings_in_force())):
        table.add_row(key.kid, key.state, _shown(key.created_at), _shown(key.activated_at), _shown(key.retired_at))
    out.print(table)


@app.command("rotate")
@recorded()
def keys_rotate(
    early: Annotated[
        bool, typer.Option("--early", help="Although others may not know the next key yet: their checks fail for a while.")
    ] = False,
) -> None:
    """Begin to sign with the next key, now; every process follows within a second. By itself it happens on schedule."""
    out.print(f"signs now      {run(lambda: _rotate(settings_in_force(), early=early))}", highlight=False)


async def _all(settings: Settings) -> list[KeyState]:
    async with open_house(settings, "trivium-keys") as house:
        return await house.oauth.keys.all()


async def _rotate(settings: Settings, *, early: bool) -> str:
    async with open_house(settings, "trivium-keys") as house:
        try:
            return await house.oauth.keys.rotate(early=early)
        except TooSoon as error:
            raise BadClient(f"{error}; wait, or force it with --early") from None


def _shown(seconds: int | None) -> str:
    return "" if seconds is None else datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S")
