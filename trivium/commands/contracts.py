"""`trivium contracts`: the promises the gateway enforces."""

import typer

from gateway.compose import declared
from gateway.contracts import BadContract, load
from gateway.house import CONTRACTS
from governance.agreement import disagreements, place, read, write
from kernel.api_document import document
from trivium.terminal import out, refuse

app = typer.Typer(no_args_is_help=True, help="The promises the gateway enforces.")


@app.command("draft")
def contracts_draft() -> None:
    """Write the contracts that the code declares into contracts/openapi."""
    for api in declared():
        file = place(api.id, api.major)
        if write(document(api), file):
            out.print(f"[green]drafted[/] {file.relative_to(CONTRACTS.parent.parent)}")
    load(CONTRACTS)


@app.command("check")
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
        refuse("contracts and code disagree:\n" + "\n".join(wrong))
    try:
        load(CONTRACTS)
    except BadContract as error:
        refuse(str(error))
    out.print(f"[green]{len(apis)} contracts agree with the code[/]")
