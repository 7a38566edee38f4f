"""`trivium gateway`: what the gateway goes by: check it, plan a change, apply it, go back."""

import json
from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from rich.table import Table

from gateway.compose import declared
from gateway.configuration.bundle import BadConfiguration
from gateway.configuration.check import checked, unserved
from gateway.configuration.plan import Plan
from gateway.configuration.source import Files, settings_as_they_stand
from trivium import configurations
from trivium.recorded import recorded
from trivium.terminal import err, out, refuse, run, settings_in_force

app = typer.Typer(no_args_is_help=True, help="What the gateway goes by: check it, plan a change, apply it, go back.")
AsJson = Annotated[bool, typer.Option("--json", help="For programs.")]
SHOWN = 60  # lines of a kind


@app.command("check")
def gateway_check() -> None:
    """Read settings and contracts and build everything from them that can be built offline; say all that is wrong."""
    settings_in_force()  # names the example's file where there is no other
    try:
        settings, bundle = Files(settings_as_they_stand).read()
        found = checked(bundle, settings)
        faults = unserved(found.operations, {api.id for api in declared()} | {service.api for service in settings.services})
    except BadConfiguration as error:
        faults = error.faults
    if faults:
        refuse(f"the configuration cannot be used ({len(faults)} faults):\n" + "\n".join(faults))
    out.print(f"[green]the configuration can be used[/]: {len(found.operations)} operations, digest {bundle.digest[:12]}")


@app.command("plan")
def gateway_plan(
    most: Annotated[int, typer.Option(min=0, help="Past calls to try, the newest; 0 tries none.")] = 50_000,
    hours: Annotated[float, typer.Option(min=0, help="How far back they may lie.")] = 24.0,
    exit_code: Annotated[
        bool, typer.Option("--exit-code", help="Exit with 2 when past calls would be decided differently.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Say what the files would change, and which calls of the last day would be decided differently."""
    plan = run(lambda: configurations.plan(settings_in_force(), most, hours))
    if as_json:
        out.print_json(json.dumps(plan.json()))
    else:
        _show(plan)
    if exit_code and plan.rehearsal.differing:
        raise typer.Exit(2)


@app.command("apply")
@recorded()
def gateway_apply(
    digest: Annotated[str, typer.Option(help="Apply only if the files still are those that were planned.")] = "",
) -> None:
    """Put what the files say in force in the running gateway; every process of the deployment follows within a second."""
    _tell(run(lambda: configurations.apply(settings_in_force(), digest)))


@app.command("rollback")
@recorded("number")
def gateway_rollback(
    number: Annotated[int | None, typer.Argument(min=1, help="Which; the one before the one in force if left out.")] = None,
) -> None:
    """Put a former configuration in force again. The files stay as they are: change them before they are applied again."""
    _tell(run(lambda: configurations.rollback(settings_in_force(), number)))


@app.command("history")
def gateway_history(as_json: AsJson = False) -> None:
    """List the configurations that were put in force, and what each process goes by."""
    entries, processes = run(lambda: configurations.history(settings_in_force()))
    if as_json:
        said = {"items": [_plain(entry) for entry in entries], "processes": [_plain(process) for process in processes]}
        out.print_json(json.dumps(said))
        return
    table = Table("number", "digest", "at", "by", "reason", title="Configurations")
    for entry in entries:
        table.add_row(str(entry.number), entry.digest[:12], _at(entry.at), entry.by, entry.reason)
    out.print(table)
    running = Table("process", "part", "number", "digest", "fault", title="Processes")
    for process in processes:
        running.add_row(process.id, process.part, str(process.number), process.digest[:12], process.fault)
    out.print(running)


def _show(plan: Plan) -> None:
    said, tried = plan.changes, plan.rehearsal
    out.print(f"in force {(plan.before or 'nothing')[:12]}, files {plan.after[:12]}", highlight=False)
    if said.none:
        out.print("[green]nothing changes[/]")
    for title, lines in (("[green]added[/]", said.added), ("[red]removed[/]", said.removed)):
        _lines(title, list(lines))
    for change in said.changed:
        _lines(f"[yellow]changed[/] {change.operation}", list(change.how))
    _lines("[yellow]settings[/]", list(said.settings))
    _lines("[yellow]only after a restart[/]", list(said.restart))
    _lines("[yellow]clients[/]", list(plan.clients))
    if not tried.calls:
        out.print("[dim]no past calls to try it on[/]")
        return
    times = f"{_at(tried.first // 1000)} to {_at(tried.last // 1000)}"
    out.print(f"{tried.calls} past calls tried ({times}): [bold]{tried.differing}[/] would be decided differently")
    if tried.groups:
        table = Table("operation", "client", "was", "becomes", "calls", "for example")
        for group in sorted(tried.groups.values(), key=lambda group: -group.count)[:SHOWN]:
            table.add_row(group.operation, group.client, group.before, group.after, str(group.count), group.examples[0])
        out.print(table)


def _lines(title: str, lines: list[str]) -> None:
    for line in lines[:SHOWN]:
        out.print(f"{title}  ", end="")
        out.print(line, highlight=False, markup=False)
    if len(lines) > SHOWN:
        out.print(f"{title}  and {len(lines) - SHOWN} more")


def _tell(applied: configurations.Applied) -> None:
    out.print(f"[green]configuration {applied.number} is in force[/] ({applied.digest[:12]})")
    for name in applied.restart:
        err.print(f"[yellow]{name} waits for a restart[/]")
    for process in applied.behind:
        err.print(
            f"[bold red]{process.part} {process.id} goes by {process.number}:[/] {process.fault or 'it has not followed yet'}"
        )
    if applied.behind:
        raise typer.Exit(1)


def _plain(value: Any) -> dict[str, Any]:
    return {name: getattr(value, name) for name in value.__dataclass_fields__}


def _at(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S")
