"""How a parameter is annotated in Python."""

from governance.clients.endpoints import Endpoint, Parameter
from governance.clients.failure import NoClient
from governance.clients.names import pascal
from governance.clients.schemas import Schemas, plain
from governance.node import Node

_PLAIN = {"integer": "int", "number": "float", "boolean": "bool"}
_FORMATS = {"date": "date", "date-time": "datetime"}


def parameter(said: Parameter, schemas: Schemas) -> str:
    """`order_id: str`, or with a default where it may be left out."""
    found = annotation(plain(said.schema), said.name, schemas)
    return f"{said.argument}: {found}" if said.required else f"{said.argument}: {found} | None = None"


def annotation(schema: Node, name: str, schemas: Schemas) -> str:
    """Raises NoClient for what neither is a value nor a list of values."""
    if "enum" in schema:
        named = schema.pointer.startswith("/components/schemas/") and schema.pointer.count("/") == 3
        return f"models.{schemas.name(schema, pascal(name))}" if named else _literal(schema)
    kind = schema.get("type")
    kinds = [one for one in kind if one != "null"] if isinstance(kind, list) else [kind]
    if kinds == ["array"]:
        return f"Sequence[{annotation(plain(schema.raw('items')), name, schemas)}]"
    if kinds == ["string"]:
        return _FORMATS.get(str(schema.get("format")), "str")
    if len(kinds) == 1 and kinds[0] in _PLAIN:
        return _PLAIN[kinds[0]]
    if kinds == [None]:
        return "str"
    raise NoClient(f"{schema.source.name}{schema.pointer}: {name} is no plain value and no list of them")


def result(endpoint: Endpoint) -> str:
    """What a method answers."""
    names = [{None: "None", "": "bytes"}.get(answer, f"models.{answer}") for answer in endpoint.answers]
    return " | ".join(sorted(names, key=lambda name: name == "None"))


def _literal(schema: Node) -> str:
    values = [value for value in schema.get("enum") if value is not None]
    if not all(isinstance(value, str | int | bool) for value in values):
        raise NoClient(f"{schema.source.name}{schema.pointer}: an enum of a parameter holds strings, whole numbers or booleans")
    return f"Literal[{', '.join(repr(value) for value in values)}]"
