"""The command line: one command a job, every refusal in words that say what to do."""

import asyncio
import os
import signal
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Annotated, Any, NoReturn, TypeVar

import typer
from rich.console import Console

from gateway.compose import Part, declared
from gateway.contracts import BadContract, load
from gateway.house import CONTRACTS
from gateway.oauth.clients import BadClient
from governance.agreement import disagreements, place, read, write
from kernel.api_document import document
from kernel.durable.locks import EngineRefused
from kernel.secrets import SecretMissing
from kernel.settings import FILE_VARIABLE, BadSettings, Settings, settings_file
from kernel.settings import load as load_settings
from sandbox.server import PORTS, UnknownVendor
from sandbox.server import serve as serve_sandbox
from system_apis.connector import MissingCredential
from trivium import clients, demo
from trivium.anew import forget_the_last_world
from trivium.journey import JourneyFailed, travel
from trivium.serving import new_event_loop
from trivium.serving import serve as serve_part
from trivium.supervisor import NotReady, Supervisor, members

app = typer.Typer(no_args_is_help=True, add_completion=False, help="CRM, billing and ERP connected through governed APIs.")
contracts_app = typer.Typer(no_args_is_help=True, help="The promises the gateway enforces.")
clients_app = typer.Typer(no_args_is_help=True, help="Who may call, and what for.")
app.add_typer(contracts_app, name="contracts")
app.add_typer(clients_app, name="clients")
T = TypeVar("T")
out, err = Console(), Console(stderr=True)

REFUSALS = (
    BadSettings, BadContract, BadClient, EngineRefused, SecretMissing, MissingCredential, UnknownVendor, NotReady, JourneyFailed,
)  # fmt: skip
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
    _run(lambda: _up(_settings(port), split=split, workers=workers, journey=journey or once, once=once))


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
    settings = _settings(port if part in (Part.ALL, Part.GATEWAY) else None)
    at = settings.server.port if port is None else port
    _run(lambda: serve_part(settings, part, at, settings.server.host), loop=new_event_loop)


@app.command()
def journey(port: Port = None) -> None:
    """Onboard a customer, validate a quote, submit it and follow the order, through a gateway that is already up."""
    _run(lambda: travel(_settings(port), out))


@app.command()
def sandbox(
    vendor: Annotated[str | None, typer.Argument(help=f"One of {', '.join(PORTS)}; all of them if left out.")] = None,
    port: Annotated[int | None, typer.Option(min=1, max=65535, help="For a single vendor.")] = None,
    at: Annotated[list[str] | None, typer.Option("--serve", help="VENDOR=PORT, repeatable.", hidden=True)] = None,
    certificates: Annotated[Path | None, typer.Option(help="Public keys to trust: VENDOR.KEYID.pem in this directory.")] = None,
) -> None:
    """Imitate vendors on loopback, each on its own port; faults are switched on at /__sandbox__/faults."""
    if vendor is not None and vendor not in PORTS:
        _refuse(f"there is no sandbox for {vendor!r}; use one of {', '.join(PORTS)}")
    ports = {name: int(number) for name, _, number in (entry.partition("=") for entry in at or ())}
    ports = ports or ({vendor: port or PORTS[vendor]} if vendor else dict(PORTS))
    for name, number in ports.items():
        out.print(f"{name}: http://127.0.0.1:{number}")
    _run(lambda: serve_sandbox(ports, certificates))


@contracts_app.command("draft")
def contracts_draft() -> None:
    """Write the contracts that the code declares into contracts/openapi."""
    for api in declared():
        file = place(api.id, api.major)
        if write(document(api), file):
            out.print(f"[green]drafted[/] {file.relative_to(CONTRACTS.parent.parent)}")
    load(CONTRACTS)


@contracts_app.command("check")
def contracts_check() -> None:
    """Compare contracts and code, and check that the gateway can enforce every contract; exit code 1 when they disagree."""
    wrong: list[str] = []
    apis = {place(api.id, api.major): api for api in declared()}
    for file, api in apis.items():
        name = file.relative_to(CONTRACTS)
        found = disagreements(read(file), document(api)) if file.exists() else ["there is no contract: trivium contracts draft"]
        wrong += [f"{name}{line}" if line.startswith("/") else f"{name}: {line}" for line in found]
    wrong += [
        f"{file.relative_to(CONTRACTS)}: no code keeps this promise" for file in CONTRACTS.rglob("*.yaml") if file not in apis
    ]
    if wrong:
        _refuse("contracts and code disagree:\n" + "\n".join(wrong))
    try:
        load(CONTRACTS)
    except BadContract as error:
        _refuse(str(error))
    out.print(f"[green]{len(apis)} contracts agree with the code[/]")


@clients_app.command("add")
def clients_add(
    name: Annotated[str, typer.Argument(help="Whose client it is, for people to read.")],
    scope: Annotated[list[str], typer.Option("--scope", help="What it may do, e.g. orders:write; repeatable.")],
    plan: Annotated[str, typer.Option(help="Which limits apply.")] = "default",
) -> None:
    """Register a client and print its secret, once."""
    made = _run(lambda: clients.add(_settings(None), name, scope, plan))
    out.print(f"client_id      {made.client_id}\nclient_secret  {made.secret}\n", highlight=False)
    out.print("[dim]The secret is shown here once and kept only as a hash.[/]")


@clients_app.command("list")
def clients_list() -> None:
    """Show the registered clients."""
    for client in _run(lambda: clients.all_of(_settings(None))):
        out.print(
            f"{client.id}  {'active' if client.active else 'closed'}  {client.name}  {' '.join(client.scopes)}", highlight=False
        )


def _settings(port: int | None) -> Settings:
    """The settings in force; without a trivium.toml those of the example, which need nothing but this machine."""
    try:
        if settings_file() is None:
            os.environ[FILE_VARIABLE] = str(demo.EXAMPLE)
        if port is not None:
            os.environ["TRIVIUM_SERVER__PORT"] = str(port)
        return load_settings()
    except REFUSALS as error:
        _refuse(str(error))


def _run(job: Callable[[], Coroutine[Any, Any, T]], loop: Callable[[], asyncio.AbstractEventLoop] | None = None) -> T:
    """Runs a job; what refuses to go on says why and ends the command with code 1."""
    try:
        with asyncio.Runner(loop_factory=loop) as runner:
            return runner.run(job())
    except REFUSALS as error:
        _refuse(str(error))
    except KeyboardInterrupt:
        raise typer.Exit(130) from None
    except asyncio.CancelledError:
        raise typer.Exit(143) from None


def _refuse(message: str) -> NoReturn:
    err.print(f"[bold red]trivium:[/] {message}", highlight=False)
    raise typer.Exit(1)
