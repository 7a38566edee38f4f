"""`trivium contracts verify`: what consumers expect, asked of whoever provides it; for the provider's pipeline."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

import typer

from gateway.house import CONTRACTS
from governance.collection import collect
from governance.consumers.expectations import FOLDER, Expectation, read
from governance.contract import Contract
from governance.node import Unresolved
from governance.publishing import lock
from governance.reports import FORMATS
from governance.reports.entry import Entry
from governance.reports.text import text
from governance.source import Unreadable
from kernel.settings import BadSettings
from trivium.terminal import out, refuse, run, settings_in_force
from trivium.verifying import in_process, over_http, scopes_of, verify

Format = Annotated[
    Literal["text", "json", "sarif", "junit", "github", "markdown"], typer.Option(help="For people, programs or pipelines.")
]


def verify_expectations(
    files: Annotated[list[Path] | None, typer.Argument(help="Expectation files; those of contracts/ if left out.")] = None,
    url: Annotated[str, typer.Option(help="Where the provider is: https://api.example.com.")] = "",
    token_env: Annotated[str, typer.Option(help="The variable that holds an access token.")] = "",
    own: Annotated[bool, typer.Option("--in-process", help="Start Trivium in this process and ask it.")] = False,
    given: Annotated[list[str] | None, typer.Option(help="NAME=VALUE instead of a file's example; repeatable.")] = None,
    format: Format = "text",
) -> None:
    """Ask what consumers expect of us; exit code 1 when an answer is another, 2 when a file cannot be read."""
    if bool(url) == own:
        refuse("say --url URL, or --in-process", code=2)
    said = dict(_pair(one) for one in given or ())
    try:
        contracts = {lock.key(one.api, one.version): one for one in collect(str(CONTRACTS)).values()}
        expected = [one for file in files or sorted((CONTRACTS.parent / FOLDER).glob("*.yaml")) for one in read(file)]
        found = run(lambda: _verified(expected, contracts, said, url, token_env))
    except (Unreadable, Unresolved) as error:
        refuse(str(error), code=2)
    typer.echo(text(found, color=out.is_terminal, width=out.width) if format == "text" else FORMATS[format](found), nl=False)
    wrong = {entry.pointer + entry.file for entry in found if entry.level == "error"}
    if format == "text":
        out.print(f"{len(expected) - len(wrong)} of {len(expected)} expectations are met", highlight=False)
    raise typer.Exit(bool(wrong))


async def _verified(
    expected: Sequence[Expectation], contracts: dict[str, Contract], given: dict[str, str], url: str, variable: str
) -> list[Entry]:
    if url and not os.environ.get(variable):
        raise BadSettings(f"--token-env names a variable that holds an access token of {url}; {variable or 'it'} is empty")
    opened = (
        over_http(url, os.environ[variable]) if url else in_process(settings_in_force(), scopes_of(expected, contracts))
    )  # fmt: skip
    async with opened as client:
        return await verify(expected, contracts, client, given)


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name:
        refuse(f"{text!r} is not NAME=VALUE", code=2)
    return name, value


def mount(app: typer.Typer) -> None:
    """Adds this command to `trivium contracts`."""
    app.command("verify")(verify_expectations)
