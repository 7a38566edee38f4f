"""`trivium services`: the services that are not ours, as the gateway would govern them."""

from pathlib import Path

import typer
from rich.text import Text

from gateway.contracts import BadContract
from gateway.services.foreign import governed_services
from gateway.services.overlay import Governed
from kernel.settings import settings_file
from trivium.terminal import out, refuse, settings_in_force

app = typer.Typer(no_args_is_help=True, help="Services that are not ours, governed by their OpenAPI documents.")


@app.command("check")
def services_check() -> None:
    """Show every operation of every service as it would be governed, and what could not be; exit code 1 for a broken one."""
    settings = settings_in_force()
    folder = (settings_file() or Path("trivium.toml")).parent
    try:
        found = governed_services(settings.services, lambda name: (folder / name).read_text(encoding="utf-8"))
    except BadContract as error:
        refuse(str(error))
    if not found:
        out.print("no service is configured; see [[services]] in trivium.example.toml", highlight=False, markup=False)
    for governed in found.values():
        _show(governed)


def _show(governed: Governed) -> None:
    service = governed.service
    where = f"below {service.prefix}, at {', '.join(service.upstreams)}"
    out.print(f"{service.name}: {len(governed.operations)} operations {where}", highlight=False, markup=False, soft_wrap=True)
    for operation in governed.operations:
        scopes = "nobody is asked" if operation.public else " ".join(sorted(operation.scopes))
        kind = "WebSocket" if operation.extensions.get("x-trivium-websocket") else ""
        line = f"  {operation.method} {operation.path}  {operation.said['operationId']}  {scopes}  {kind}".rstrip()
        out.print(line, highlight=False, markup=False, soft_wrap=True)
    for note in governed.notes:
        out.print("  [yellow]note[/]", Text(note), highlight=False, soft_wrap=True)
