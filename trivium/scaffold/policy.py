"""A new policy of the door: its file, its test, its place in the order."""

from trivium.scaffold.tree import Tree
from trivium.scaffold.words import named, words

ORDER = "gateway/policies/__init__.py"


def new_policy(tree: Tree, name: str) -> None:
    """The last but one: whoever knows better where it belongs moves its line. Raises CannotScaffold."""
    known = words(named(name))
    tree.copy("policy", known)
    tree.imported(ORDER, f"from gateway.policies.{name} import {name}")
    tree.replace(ORDER, r"^( +)check_response\(means\.", rf"\1{name},  # what x-trivium-{known['dashed']} asks for\n\g<0>")
