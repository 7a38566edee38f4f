"""The command line: one command a job, every refusal in words that say what to do."""

import asyncio
import signal
from pathlib import Path
from typing import Annotated

import typer

from gateway.compose import Part
from kernel.settings import Settings
from sandbox.server import PORTS
from sandbox.server import serve as serve_sandbox
from trivium import demo
from trivium.anew import forget_the_last_world
from trivium.commands import audit, clients, contracts, explain, gateway, keys, new, partners, services, users
from trivium.journey import travel
from trivium.serving import new_event_loop
from trivium.serving import serve as serve_part
from trivium.supervisor import Supervisor, members
from trivium.terminal import out, refuse, run, settings_in_force, settings_to_serve

app = typer.Typer(no_args_is_help=True, add_completion=False, help="CRM, billing and ERP connected through governed APIs.")
app.add_typer(contracts.app, name="contracts")
app.add_typer(clients.app, name="clients")
app.add_typer(users.app, name="users")
app.add_typer(keys.app, name="keys")
app.add_typer(gateway.app, name="gateway")
app.command("explain")(explain.explain)
app.add_typer(partners.app, name="partners")
app.add_typer(services.app, name="services")
app.add_typer(audit.app, name="audit")
app.add_typer(new.app, name="new")
Port = Annotated[int | None, typer.Option(min=0, max=65535, help="Where the gateway listens; the settings say otherwise.")]


@app.command()
def up(
    port: Port = None,
    split: Annotated[
        bool, typer.Option("--split", help="Each layer a process of its own, talking over their contracts.")
    ] = False,
    workers: Annotated[int, typer.Option(min=0, max=64, help="Further workers; needs PostgreSQL.")] = 0,
    journey: Annotated[bool, typer.Option("--journey", help="Travel the journey once everything is up.")] = False,
    once: Annotated[bool, typer.Option("--once", help="Stop after the journey; the exit code says how it went.")] = False,
) -> None:
    """Start everything on this machine: sandbox, layers, worker, gateway; stop it with Ctrl-C."""
    run(lambda: _up(settings_to_serve(port), split=split, workers=workers, journey=journey or once, once=once))


async def _up(settings: Settings, *, split: bool, workers: int, journey: bool, once: bool) -> None:
    _end_orderly_on_sigterm()
    if settings.sandbox.ports:
        demo.prepare(settings)
    if settings.sandboxed and await forget_the_last_world(settings):
        out.print("[dim]The sandbox starts with a new world; what was recorded about its last one is forgotten.[/]")
    supervisor = Supervisor(members(settings, split=split, workers=workers))
    await supervisor.start()
    try:
        out.print(f"[bold green]Trivium is up[/] at {settings.server.url}  (tokens: /oauth/token, health: /health/ready)")
        if journey:
            await travel(settings, out)
        if not once:
            await _told_to_stop()
    finally:
        await supervisor.stop()


def _end_orderly_on_sigterm() -> None:
    """From the first moment on, as Ctrl-C does: a supervisor that just died would leave its processes behind."""
    task = asyncio.current_task()
    if task is not None:
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)


async def _told_to_stop() -> None:
    stop = asyncio.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    await stop.wait()


@app.command()
def serve(
    part: Annotated[Part, typer.Option(help="Which part of a split deployment; all of it by default.")] = Part.ALL,
    port: Port = None,
) -> None:
    """Run one process of a deployment, without a supervisor; for systemd, containers and the like."""
    settings = settings_to_serve(port if part in (Part.ALL, Part.GATEWAY) else None)
    at = settings.server.port if port is None else port
    run(lambda: serve_part(settings, part, at, settings.server.host), loop=new_event_loop)


@app.command()
def journey(port: Port = None) -> None:
    """Onboard a customer, validate a quote, submit it and follow the order, through a gateway that is already up."""
    run(lambda: travel(settings_in_force(port), out))


@app.command()
def sandbox(
    vendor: Annotated[str | None, typer.Argument(help=f"One of {', '.join(PORTS)}; all of them if left out.")] = None,
    port: Annotated[int | None, typer.Option(min=1, max=65535, help="For a single vendor.")] = None,
    at: Annotated[list[str] | None, typer.Option("--serve", help="VENDOR=PORT, repeatable.", hidden=True)] = None,
    certificates: Annotated[Path | None, typer.Option(help="Public keys to trust: VENDOR.KEYID.pem in this directory.")] = None,
) -> None:
    """Imitate vendors on loopback, each on its own port; faults are switched on at /__sandbox__/faults."""
    if vendor is not None and vendor not in PORTS:
        refuse(f"there is no sandbox for {vendor!r}; use one of {', '.join(PORTS)}")
    ports = {name: int(number) for name, _, number in (entry.partition("=") for entry in at or ())}
    ports = ports or ({vendor: port or PORTS[vendor]} if vendor else dict(PORTS))
    for name, number in ports.items():
        out.print(f"{name}: http://127.0.0.1:{number}")
    run(lambda: serve_sandbox(ports, certificates))
