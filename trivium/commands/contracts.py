"""`trivium contracts`: the promises the gateway enforces."""

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Annotated, Literal

import typer

from gateway.compose import declared
from gateway.contracts import BadContract, load
from gateway.house import CONTRACTS
from governance.agreement import disagreements, place, read, write
from governance.changes.diff import diff
from governance.collection import collect
from governance.lint.configuration import FILE as LINT_FILE
from governance.lint.configuration import BadConfiguration
from governance.lint.configuration import read as lint_configuration
from governance.lint.estate import lint_places
from governance.node import Unresolved
from governance.publishing import lock, verification
from governance.reports import FORMATS
from governance.reports.entry import Entry, of_changes, of_lint, removed_contract
from governance.reports.text import text
from governance.rules import RULES
from governance.source import Unreadable
from kernel.api_document import document
from trivium.commands import expectations, publishing
from trivium.commands.client import client
from trivium.commands.scorecard import scorecard
from trivium.terminal import out, refuse

Format = Annotated[
    Literal["text", "json", "sarif", "junit", "github", "markdown"], typer.Option(help="For people, programs or pipelines.")
]
FailOn = Annotated[Literal["error", "warning", "info", "never"], typer.Option(help="The least weight that fails the command.")]
app = typer.Typer(no_args_is_help=True, help="The promises the gateway enforces.")
app.command("client")(client)
app.command("scorecard")(scorecard)
publishing.mount(app)
expectations.mount(app)


@app.command("draft")
def contracts_draft() -> None:
    """Write the contracts that the code declares into contracts/openapi."""
    releases = lock.read(CONTRACTS.parent / lock.FILE)
    for api in declared():
        file = place(api.id, api.major)
        if write(lock.applied(document(api), releases), file):
            out.print(f"[green]drafted[/] {file.relative_to(CONTRACTS.parent.parent)}")
    load(CONTRACTS)


@app.command("check")
def contracts_check() -> None:
    """Compare contracts and code, and check that the gateway can enforce every contract; exit code 1 when they disagree."""
    wrong, releases = list[str](), lock.read(CONTRACTS.parent / lock.FILE)
    apis = {place(api.id, api.major): api for api in declared()}
    for file, api in apis.items():
        name = file.relative_to(CONTRACTS)
        found = (
            disagreements(read(file), lock.applied(document(api), releases))
            if file.exists()
            else ["there is no contract: trivium contracts draft"]
        )
        wrong += [f"{name}{line}" if line.startswith("/") else f"{name}: {line}" for line in found]
    wrong += [
        f"{file.relative_to(CONTRACTS)}: no code keeps this promise" for file in CONTRACTS.rglob("*.yaml") if file not in apis
    ]
    promised = {str(file.relative_to(CONTRACTS)): read(file) for file in apis if file.exists()}
    wrong += verification.faults(CONTRACTS.parent, promised)
    if wrong:
        refuse("contracts and code disagree:\n" + "\n".join(wrong))
    try:
        load(CONTRACTS)
    except BadContract as error:
        refuse(str(error))
    out.print(f"[green]{len(apis)} contracts agree with the code[/]")


@app.command("lint")
def contracts_lint(
    places: Annotated[list[str] | None, typer.Argument(help="Files or folders; the estate's own contracts if left out.")] = None,
    format: Format = "text",
    config: Annotated[
        Path | None, typer.Option(help="Severities by rule, layer and audience; lint.toml beside the contracts.")
    ] = None,
    fail_on: FailOn = "error",
) -> None:
    """Check contracts against the rules of the estate; exit code 1 when something weighs --fail-on, 2 when one is unreadable."""
    try:
        configuration = lint_configuration(config or CONTRACTS.parent / LINT_FILE, RULES)
        found = list(lint_places(places or [str(CONTRACTS)], configuration, date.today()))
    except (Unreadable, BadConfiguration) as error:
        refuse(str(error), code=2)
    _report(of_lint(found), format, fail_on)


@app.command("rules")
def contracts_rules() -> None:
    """List the rules with their weight and where each is written down."""
    for rule in RULES:
        out.print(f"{rule.number:>2}  {rule.id:<24} {rule.severity:<8} {rule.about}\n    [dim]{rule.see}[/]", highlight=False)


@app.command("diff")
def contracts_diff(
    old: Annotated[str, typer.Argument(help="A file, a folder, or REVISION:path of this repository.")],
    new: Annotated[str, typer.Argument(help="Likewise.")],
    format: Format = "text",
    fail_on: FailOn = "error",
    notice: Annotated[int, typer.Option(min=0, help="Days between the announcement of an end and the end.")] = 90,
) -> None:
    """Say whom the new contract breaks who kept to the old one; exit code 1 when somebody does, 2 when one is unreadable."""
    try:
        before, after = collect(old), collect(new)
        if len(before) == len(after) == 1:
            after = dict(zip(before, after.values(), strict=True))
        changed = [
            change for name in before if name in after
            for change in diff(before[name], after[name], today=date.today(), notice=notice)
        ]  # fmt: skip
    except (Unreadable, Unresolved) as error:
        refuse(str(error), code=2)
    entries = of_changes(changed) + [removed_contract(contract) for name, contract in before.items() if name not in after]
    _report(entries, format, fail_on)


def _report(entries: Sequence[Entry], format: str, fail_on: str) -> None:
    written = text(entries, color=out.is_terminal, width=out.width) if format == "text" else FORMATS[format](entries)
    typer.echo(written, nl=False)
    weights = {"error": ("error",), "warning": ("error", "warning"), "info": ("error", "warning", "info"), "never": ()}
    if any(entry.level in weights[fail_on] for entry in entries):
        raise typer.Exit(1)
