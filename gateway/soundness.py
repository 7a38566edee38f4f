"""Whether the schemas of one document can all be compiled, found out by compiling them once and together.

So that thousands of operations start at once: what is known to be usable is compiled for each of them when it is first needed.
"""

import json
from collections.abc import Iterable, Iterator

from gateway.pipeline import Operation
from gateway.schemas import Wire
from gateway.violations import Unusable, compiled

# They mean something else where their schema is a part of another.
_OF_A_DOCUMENT = ("$id", "$schema", "$anchor", "$dynamicAnchor", "$vocabulary")


def usable(operations: Iterable[Operation]) -> bool:
    """Whether everything that callers send these operations can be judged. False: one of them must be looked at by itself."""
    schemas = list({id(schema): schema for operation in operations for schema in _asked(operation)}.values())
    defs = {name: inner for schema in schemas for name, inner in schema.get("$defs", {}).items()}
    together = [{name: inner for name, inner in schema.items() if name != "$defs"} for schema in schemas]
    written = json.dumps([defs, together])  # searched as text, which is the faster way
    if any(f'"{name}"' in written for name in _OF_A_DOCUMENT):
        return False
    try:
        compiled({"$defs": defs, "allOf": together} if together else {})
    except Unusable:
        return False
    return True


def _asked(operation: Operation) -> Iterator[Wire]:
    for named in (operation.path_parameters, operation.query_parameters, operation.header_parameters):
        yield from named.values()
    if operation.body_schema is not None:
        yield operation.body_schema
