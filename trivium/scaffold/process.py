"""A new process: an API whose work is a durable run of named steps, registered with the engine."""

from trivium.scaffold.api import COMPOSE, PROCESS_APIS
from trivium.scaffold.tree import Tree
from trivium.scaffold.words import named, words

REMOTES = "gateway/remotes.py"


def new_process(tree: Tree, name: str, team: str) -> None:
    """Raises CannotScaffold."""
    known = words(named(name), layer="process", team=team)
    tree.copy("process", known)
    thing, things = known["Thing"], known["Things"]
    steps = f"{thing}Workflow({thing}Steps(systems))"
    for place, pattern, by in (
        (REMOTES, r"^    customers: CustomerProcess$", rf"\g<0>\n    {name}: {things}Process"),
        (REMOTES, r'^(.*_remote\(house, CustomerProcess, "process/customers", url\),)$',
         rf'\1\n        _remote(house, {things}Process, "process/{name}", url),'),
        (COMPOSE, r"Processes\(absent((?:, absent)*)\)", r"Processes(absent\1, absent)"),
        (COMPOSE, PROCESS_APIS, rf"\g<0>{name}_api(processes.{name}),\n\1"),
        (COMPOSE, r"^    await durable\.launch\(\)$",
         rf"    durable.register({name.upper()}, {steps}, {thing}Plan, {thing}Done)\n\g<0>"),
        (COMPOSE, r"(return Processes\(.*)(\), book)$", rf"\1, {things}(durable, settings.answer_within)\2"),
    ):  # fmt: skip
        tree.replace(place, pattern, by)
    tree.imported(REMOTES, f"from contracts.ports.{name} import {things}Process")
    for line in (
        f"process import {things}", f"records import PROCESS as {name.upper()}", f"records import {thing}Done, {thing}Plan",
        f"steps import {thing}Steps", f"v1 import {name}_api", f"workflow import {thing}Workflow",
    ):  # fmt: skip
        tree.imported(COMPOSE, f"from process_apis.{name}.{line}")
