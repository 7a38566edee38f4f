"""`trivium contracts client`: a typed client package, made of contracts."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from gateway.house import CONTRACTS
from governance.clients.failure import NoClient
from governance.clients.python.package import package as python_package
from governance.clients.typescript.package import package as typescript_package
from governance.collection import collect
from governance.contract import Contract
from governance.source import Unreadable
from trivium.terminal import out, refuse


def client(
    language: Annotated[Literal["python", "typescript"], typer.Argument(help="What the client is written in.")],
    apis: Annotated[
        list[str] | None, typer.Argument(metavar="[API]...", help="process/orders, or process/orders/v1; all if left out.")
    ] = None,
    folder: Annotated[Path, typer.Option("--out", help="The folder to write: empty, or an earlier client.")] = Path("client"),
    name: Annotated[str, typer.Option(help="What the package is called.")] = "trivium_client",
    contracts: Annotated[str, typer.Option(help="A contract, or a folder of them; the estate's own if left out.")] = str(
        CONTRACTS
    ),
) -> None:
    """Generate a typed client that keeps keys over retries, waits as told, goes through pages and raises problems."""
    try:
        chosen = _chosen(list(collect(contracts).values()), apis or [])
        made = (python_package if language == "python" else typescript_package)(chosen, folder, name)
    except (NoClient, Unreadable) as error:
        refuse(str(error))
    out.print(f"[green]{len(made)} files[/] in {folder}: {', '.join(contract.api for contract in chosen)}", soft_wrap=True)


def _chosen(contracts: list[Contract], wanted: list[str]) -> list[Contract]:
    by_key = {f"{one.api}/v{one.version.partition('.')[0]}": one for one in contracts}
    found: dict[str, Contract] = {}
    for api in wanted or by_key:
        hits = {key: one for key, one in by_key.items() if api in (key, one.api)}
        if not hits:
            raise NoClient(f"there is no contract {api}; there are {', '.join(sorted(by_key))}")
        found |= hits
    return list(found.values())
