"""Form bodies and queries as Stripe reads them: `items[0][price]=x&expand[]=y` becomes nested dicts of text, or is refused.

Arrays stay dicts keyed by position here; `parameters.Array` makes lists of them, because only the expected shape tells
`metadata[0]` from `items[0]`.
"""

import re
from typing import TypeAlias
from urllib.parse import parse_qsl

from sandbox.stripe.errors import Refused, invalid

Tree: TypeAlias = "dict[str, Tree | str]"

MAX_BODY = 1024 * 1024  # bytes
MAX_PAIRS = 2_000
MAX_DEPTH = 8
MAX_POSITION = 1_000

_NAME = re.compile(r"([^\[\]]+)((?:\[[^\[\]]*\])*)")
_STEP = re.compile(r"\[([^\[\]]*)\]")


def decode(text: str) -> Tree:
    """A form or a query string as a tree. Raises Refused for bad UTF-8, broken brackets, contradictions and excess."""
    try:
        pairs = parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=MAX_PAIRS)
    except UnicodeDecodeError:
        raise invalid("Invalid UTF-8 in request parameters") from None
    except ValueError:
        raise invalid(f"Too many parameters: at most {MAX_PAIRS} are accepted") from None
    tree: Tree = {}
    for name, value in pairs:
        if "\0" in value or "\0" in name:
            raise invalid("Invalid character in request parameters: NUL", name.replace("\0", ""), "invalid_characters")
        _plant(tree, name, _steps(name), value)
    return tree


def too_large() -> Refused:
    return Refused(413, f"Request body too large: at most {MAX_BODY} bytes are accepted")


def _steps(name: str) -> list[str]:
    match = _NAME.fullmatch(name)
    if match is None:
        raise invalid(f"Invalid parameter name: {name}", name)
    steps = [match[1], *_STEP.findall(match[2])]
    if len(steps) > MAX_DEPTH:
        raise invalid(f"Parameters are nested too deeply: {name}", name)
    return steps


def _plant(tree: Tree, name: str, steps: list[str], value: str) -> None:
    node = tree
    for at, step in enumerate(steps):
        last = at == len(steps) - 1
        if step == "":
            step = _next_position(node, steps[at + 1 :])
        if last:
            if isinstance(node.get(step), dict):
                raise invalid(f"Invalid parameter: {name} is given both as a value and as a hash", name)
            node[step] = value
            return
        child = node.setdefault(step, {})
        if isinstance(child, str):
            raise invalid(f"Invalid parameter: {name} is given both as a value and as a hash", name)
        node = child


def _next_position(node: Tree, rest: list[str]) -> str:
    """Where `[]` goes: a new element, unless the last one still lacks the field that follows (`items[][price]`)."""
    last = str(len(node) - 1)
    if rest and last in node and not _has(node[last], rest):
        return last
    return str(len(node))


def _has(node: "Tree | str", rest: list[str]) -> bool:
    for step in rest:
        if step == "" or isinstance(node, str) or step not in node:
            return False
        node = node[step]
    return True
