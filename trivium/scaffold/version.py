"""A new major of an API: the last one's endpoints under a number of their own, served beside it over the same port."""

import re

from trivium.scaffold.api import COMPOSE
from trivium.scaffold.tree import Tree
from trivium.scaffold.words import CannotScaffold, api_named, words


def new_version(tree: Tree, api: str) -> None:
    """Raises CannotScaffold."""
    layer, name = api_named(api)
    folder = f"{layer}_apis/{name}"
    numbers = [int(file.stem[1:]) for file in (tree.root / folder).glob("v*.py") if file.stem[1:].isdigit()]
    if not numbers:
        raise CannotScaffold(f"{folder} has no v1.py: make the API first with `trivium new api {api}`")
    old, new = max(numbers), max(numbers) + 1
    was, will = _maker(name, old), _maker(name, new)
    tree.add(f"{folder}/v{new}.py", _next(tree.text(f"{folder}/v{old}.py"), layer, name, old))
    served = re.search(rf"(?<![\w.]){was}\(", tree.text(COMPOSE))
    if served is None:
        raise CannotScaffold(f"{COMPOSE} does not serve {was}")
    _serve(tree, was, will)
    tree.imported(COMPOSE, f"from {layer}_apis.{name}.v{new} import {will}")
    known = words(name, layer=layer, old=str(old), new=str(new), was=was, will=will)
    tree.copy("version", known)


def _maker(name: str, major: int) -> str:
    return f"{name}_api" if major == 1 else f"{name}_api_v{major}"


def _next(text: str, layer: str, name: str, old: int) -> str:
    """The same endpoints, one major further."""
    new, url = old + 1, f"/{layer}/{name.replace('_', '-')}"
    text = re.sub(rf"\bdef {_maker(name, old)}\(", f"def {_maker(name, new)}(", text)
    text = text.replace(f"{url}/v{old}", f"{url}/v{new}")
    text, found = re.subn(rf'("{name}",\s+)"{old}\.\d+\.\d+"', rf'\g<1>"{new}.0.0"', text, count=1)
    if not found:
        raise CannotScaffold(f"{layer}_apis/{name}/v{old}.py does not say its version as Api({layer!r}, {name!r}, '{old}.…')")
    return re.sub(rf"^(\"\"\".*?)\bv{old}\b", rf"\g<1>v{new}", text, count=1)


def _serve(tree: Tree, was: str, will: str) -> None:
    """The new one beside the old one, wherever that is made."""
    if re.search(rf"return {was}\(", tree.text(COMPOSE)):
        raise CannotScaffold(f"{COMPOSE} makes {was} where only one API has a place: make that a list first")
    tree.replace(COMPOSE, rf"^( *)(.*?(?<![\w.]){was}(\((?:[^()]|\([^()]*\))*\)))", rf"\1\2,\n\1{will}\3")
