"""`trivium new`: code, contract and tests of a new part of the house, which pass `make check` as they are written."""

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from trivium.scaffold.api import new_api
from trivium.scaffold.policy import new_policy
from trivium.scaffold.process import new_process
from trivium.scaffold.tree import Tree
from trivium.scaffold.version import new_version
from trivium.scaffold.words import CannotScaffold
from trivium.terminal import out, refuse

app = typer.Typer(no_args_is_help=True, help="Write a new API, version, process or policy: code, contract, tests.")
Root = Annotated[Path, typer.Option(help="The root of the repository.")]
Named = Annotated[str, typer.Argument(metavar="NAME", help="In lower case, words joined by underscores.")]
ApiName = Annotated[str, typer.Argument(metavar="LAYER/NAME", help="E.g. process/credit_notes.")]


@app.command("api")
def api(name: ApiName, team: Annotated[str, typer.Option(help="Who owns it.")] = "api-platform", root: Root = Path()) -> None:
    """An API: models, port, endpoints, tests, its contract, and its place in gateway/compose.py."""
    _write(root, lambda tree: new_api(tree, name, team), draft=True)
    out.print(f"Now: let its port be answered by what knows, instead of Known…, in gateway/compose.py ({name}).", highlight=False)


@app.command("version")
def version(name: ApiName, root: Root = Path()) -> None:
    """The next major of an API beside the last one: endpoints, contract and a test of both."""
    _write(root, lambda tree: new_version(tree, name), draft=True)
    out.print(
        "Now: change what is to be different. Once it is published, `trivium contracts deprecate` the old one with the new one "
        "as its successor.", highlight=False,
    )  # fmt: skip


@app.command("process")
def process(name: Named, team: Annotated[str, typer.Option(help="Who owns it.")] = "api-platform", root: Root = Path()) -> None:
    """A durable process: models, port, workflow, steps, endpoints, tests, its contract, and its place in gateway/compose.py."""
    _write(root, lambda tree: new_process(tree, name, team), draft=True)
    out.print(f"Now: tell its story in process_apis/{name}/workflow.py, and each call in steps.py.", highlight=False)


@app.command("policy")
def policy(name: Named, root: Root = Path()) -> None:
    """A policy of the door: its file, its test, and its line in gateway/policies/__init__.py."""
    _write(root, lambda tree: new_policy(tree, name), draft=False)
    out.print("Now: move its line in gateway/policies/__init__.py to where it belongs.", highlight=False)


def _write(root: Path, change: Callable[[Tree], None], *, draft: bool) -> None:
    tree = Tree(root.resolve())
    try:
        change(tree)
    except CannotScaffold as error:
        refuse(str(error))
    files = tree.write()
    _tidy(tree.root, files)
    if draft:
        # In a process of its own: this one has loaded the tree as it was.
        _run(tree.root, sys.executable, "-m", "trivium", "contracts", "draft")
    for file in files:
        out.print(f"[green]written[/] {file.relative_to(tree.root)}", highlight=False)


def _tidy(root: Path, files: list[Path]) -> None:
    """Lines are broken and imports ordered as everywhere; without ruff `make format` does it later."""
    ruff = shutil.which("ruff", path=str(Path(sys.executable).parent)) or shutil.which("ruff")
    if ruff is not None:
        python = [str(file) for file in files if file.suffix == ".py"]
        _run(root, ruff, "check", "--quiet", "--select", "I", "--fix", *python)
        _run(root, ruff, "format", "--quiet", *python)


def _run(root: Path, *command: str) -> None:
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False, timeout=300)  # noqa: S603
    if done.returncode:
        refuse(f"the files are written, but `{' '.join(command[1:4])}` failed:\n{(done.stderr or done.stdout).strip()[-2000:]}")
