"""`trivium clients`: who may call, and what for."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from gateway.oauth.client_rules import BASIC, CLIENT_CREDENTIALS
from gateway.oauth.clients import Details
from gateway.oauth.registrations import PENDING, STATES, Registration
from trivium import clients
from trivium.recorded import recorded
from trivium.terminal import out, refuse, run, settings_in_force

app = typer.Typer(no_args_is_help=True, help="Who may call, and what for.")
ClientId = Annotated[str, typer.Argument(metavar="CLIENT", help="The client's id.")]
RegistrationId = Annotated[str, typer.Argument(metavar="APPLICATION", help="The application's id.")]
Plan = Annotated[str, typer.Option(help="Which limits apply; a partner's client has its partner's plan.")]
Partner = Annotated[str | None, typer.Option(help="The partner whose client it is.")]
Accounts = Annotated[list[str] | None, typer.Option("--account", help="connection/account_id; repeatable. All if left out.")]


@app.command("add")
@recorded("name")
def clients_add(
    name: Annotated[str, typer.Argument(help="Whose client it is, for people to read.")],
    scope: Annotated[list[str], typer.Option("--scope", help="What it may do, e.g. orders:write; repeatable.")],
    plan: Plan = "default",
    partner: Partner = None,
    account: Accounts = None,
    grant: Annotated[list[str] | None, typer.Option("--grant", help="A grant type of RFC 6749; repeatable.")] = None,
    redirect: Annotated[list[str] | None, typer.Option("--redirect", help="Where its users are sent back to.")] = None,
    method: Annotated[str, typer.Option(help="How it proves itself: a method of RFC 7591 section 2, or none.")] = BASIC,
    keys: Annotated[Path | None, typer.Option(help="Its public keys, a JWK set, for private_key_jwt.")] = None,
    certificate: Annotated[str | None, typer.Option(help="For TLS: subject, or SHA-256 thumbprint (base64url).")] = None,
    address: Annotated[list[str] | None, typer.Option("--address", help="A network it may call from; repeatable.")] = None,
    dpop: Annotated[bool, typer.Option("--dpop", help="Its tokens must be bound to a key (DPoP).")] = False,
) -> None:
    """Register a client and print its secret, once."""
    details = Details(
        partner=partner, grants=tuple(grant or (CLIENT_CREDENTIALS,)), auth_method=method, jwks=_keys(keys),
        certificate=certificate, redirect_uris=tuple(redirect or ()), dpop_required=dpop, addresses=tuple(address or ()) or None,
    )  # fmt: skip
    made = run(lambda: clients.add(settings_in_force(), name, scope, plan, accounts=account, details=details))
    out.print(f"client_id      {made.client_id}", highlight=False)
    if made.secret:
        _secret(made.secret)


@app.command("list")
def clients_list() -> None:
    """Show the registered clients."""
    for client in run(lambda: clients.all_of(settings_in_force())):
        out.print(
            f"{client.id}  {'active' if client.active else 'closed'}  {client.name}  {' '.join(client.scopes)}", highlight=False
        )


@app.command("rotate-secret")
@recorded("client")
def clients_rotate_secret(client: ClientId) -> None:
    """Print a second secret, valid beside the first; withdraw the first once the second is in use."""
    _secret(run(lambda: clients.rotate_secret(settings_in_force(), client)))


@app.command("withdraw-secret")
@recorded("client")
def clients_withdraw_secret(
    client: ClientId,
    keep: Annotated[str, typer.Option(prompt="The secret to keep", hide_input=True, help="Asked for if left out.")],
) -> None:
    """Forget every secret of the client but one."""
    withdrawn = run(lambda: clients.withdraw_secrets(settings_in_force(), client, keep))
    out.print(f"{withdrawn} withdrawn", highlight=False)


@app.command("close")
@recorded("client")
def clients_close(client: ClientId) -> None:
    """Close a client for good: no new tokens, and those it has are dead within a second."""
    run(lambda: clients.close(settings_in_force(), client))


@app.command("networks")
@recorded("client")
def clients_networks(
    client: ClientId,
    networks: Annotated[list[str] | None, typer.Argument(help="It may call from these alone, e.g. 192.0.2.0/24.")] = None,
    anywhere: Annotated[bool, typer.Option("--anywhere", help="It calls from anywhere again.")] = False,
) -> None:
    """Say where a client may call from; every process knows within a second."""
    if bool(networks) == anywhere:
        refuse("name the networks, or say --anywhere")
    run(lambda: clients.bind(settings_in_force(), client, None if anywhere else networks))


@app.command("registrations")
def clients_registrations(state: Annotated[str, typer.Option(help=f"{', '.join(STATES)}, or all.")] = PENDING) -> None:
    """Show who applied to become a client."""
    if state not in (*STATES, "all"):
        refuse(f"there is no state {state!r}; use one of {', '.join(STATES)}, all")
    table = Table("application", "name", "scopes", "grants", "proof", "state", "client")
    for found in run(lambda: clients.registrations(settings_in_force(), None if state == "all" else state)):
        said = found.application
        table.add_row(
            found.id, said.client_name, " ".join(said.scopes), " ".join(said.grant_types), said.token_endpoint_auth_method,
            found.state, found.client_id or "",
        )  # fmt: skip
    out.print(table)


@app.command("approve")
@recorded("application", "partner")
def clients_approve(
    application: RegistrationId,
    scope: Annotated[list[str] | None, typer.Option("--scope", help="Fewer than it asked for; repeatable.")] = None,
    plan: Plan = "default",
    partner: Partner = None,
    account: Accounts = None,
) -> None:
    """Make a client of an application; the applicant learns the secret, if it has one, by asking for its state."""

    async def approve() -> Registration:
        said = clients.approval(scopes=scope or None, plan=plan, partner=partner, accounts=account)
        return await clients.approve(settings_in_force(), application, said)

    found = run(approve)
    out.print(f"client_id      {found.client_id}", highlight=False)


@app.command("reject")
@recorded("application")
def clients_reject(application: RegistrationId, reason: Annotated[str, typer.Option(help="What the applicant is told.")]) -> None:
    """Say no to an application."""
    run(lambda: clients.reject(settings_in_force(), application, reason))


def _keys(place: Path | None) -> dict[str, Any] | None:
    if place is None:
        return None
    try:
        found = json.loads(place.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        refuse(f"{place} cannot be read as a JWK set: {error}")
    if not isinstance(found, dict):
        refuse(f"{place} is no JWK set: a JSON object with an array `keys`")
    return found


def _secret(secret: str) -> None:
    out.print(f"client_secret  {secret}\n", highlight=False)
    out.print("[dim]The secret is shown here once and kept only as a hash.[/]")
