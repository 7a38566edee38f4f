"""`trivium clients`: who may call, and what for."""

from typing import Annotated

import typer

from trivium import clients
from trivium.terminal import out, run, settings_in_force

app = typer.Typer(no_args_is_help=True, help="Who may call, and what for.")


@app.command("add")
def clients_add(
    name: Annotated[str, typer.Argument(help="Whose client it is, for people to read.")],
    scope: Annotated[list[str], typer.Option("--scope", help="What it may do, e.g. orders:write; repeatable.")],
    plan: Annotated[str, typer.Option(help="Which limits apply.")] = "default",
) -> None:
    """Register a client and print its secret, once."""
    made = run(lambda: clients.add(settings_in_force(), name, scope, plan))
    out.print(f"client_id      {made.client_id}\nclient_secret  {made.secret}\n", highlight=False)
    out.print("[dim]The secret is shown here once and kept only as a hash.[/]")


@app.command("list")
def clients_list() -> None:
    """Show the registered clients."""
    for client in run(lambda: clients.all_of(settings_in_force())):
        out.print(
            f"{client.id}  {'active' if client.active else 'closed'}  {client.name}  {' '.join(client.scopes)}", highlight=False
        )
