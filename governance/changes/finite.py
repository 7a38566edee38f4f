"""Where a schema leaves only a handful of values, each is tried: nothing is as sure as that."""

from typing import Any

import jsonschema_rs

from governance.changes.facts import Facts, values
from governance.node import Node
from governance.standalone import standalone

FEW = {"null": (None,), "boolean": (False, True)}


class Trials:
    """Validators, each compiled once."""

    def __init__(self) -> None:
        self._compiled: dict[Node, Any] = {}

    def fits(self, value: Any, node: Node, *, unknown: bool = False) -> bool:
        """Whether a value fits a schema; `unknown` where the schema cannot be compiled."""
        if node not in self._compiled:
            try:
                self._compiled[node] = jsonschema_rs.Draft202012Validator(standalone(node), validate_formats=True)
            except ValueError:
                self._compiled[node] = None
        validator = self._compiled[node]
        return unknown if validator is None else bool(validator.is_valid(value))

    def finite(self, facts: Facts) -> list[Any] | None:
        """All the values that fit, where the schemas list them; None where they do not."""
        listed = [*facts.all("enum"), *facts.all("const")]
        if listed:
            found = values(min(listed, key=lambda said: len(values(said))))
        elif facts.types and facts.types <= FEW.keys():
            found = [value for kind in sorted(facts.types) for value in FEW[kind]]
        else:
            return None
        return [value for value in found if all(self.fits(value, node, unknown=True) for node in facts.nodes)]
