"""An operation as a client sees it: what is handed over, what comes back, whether it is keyed and whether it comes in pages."""

import json
from collections.abc import Iterator
from dataclasses import dataclass

from governance.bundle import bundle
from governance.clients.failure import NoClient
from governance.clients.names import pascal, snake, unique
from governance.clients.schemas import Schemas
from governance.contract import OPENAPI, Contract, Operation
from governance.node import Node, Unresolved

_KEY, _CORRELATION = "idempotency-key", "x-correlation-id"
_LISTS = ("items", "data", "results", "entries")
_CARRIED = frozenset({"accept", "content-type", "authorization", "if-none-match", _KEY, _CORRELATION})


@dataclass(frozen=True)
class Parameter:
    """`argument`: what a program calls it. `joined`: a list goes into one value, with commas."""

    name: str
    argument: str
    place: str
    required: bool
    schema: Node
    about: str
    joined: bool


@dataclass(frozen=True)
class Body:
    """`schema`: None for what is not JSON and goes as the bytes that it is."""

    media: str
    schema: str | None
    required: bool


@dataclass(frozen=True)
class Endpoint:
    """`answers`: names of schemas; None among them for an answer without content, "" for bytes. `items`: of a page, each."""

    id: str
    operation: Operation
    parameters: tuple[Parameter, ...]
    body: Body | None
    answers: tuple[str | None, ...]
    keyed: bool
    items: tuple[str, Node] | None

    @property
    def about(self) -> str:
        said = self.operation.node
        return str(said.get("description") or said.get("summary") or self.operation.name).strip()


@dataclass(frozen=True)
class Surface:
    """One API and major version as a client carries it."""

    contract: Contract
    endpoints: tuple[Endpoint, ...]
    schemas: Schemas

    @property
    def name(self) -> str:
        """orders_v1"""
        return f"{snake(self.contract.api.rpartition('/')[2].partition('.')[0])}_v{self._major}"

    @property
    def long_name(self) -> str:
        """process_orders_v1"""
        return f"{snake(self.contract.api)}_v{self._major}"

    @property
    def token_url(self) -> str:
        """Where a token is to be had by client credentials; "" where the contract does not say."""
        for _, scheme in self.contract.component("securitySchemes").items():
            if url := scheme.at("flows", "clientCredentials").get("tokenUrl"):
                return str(url)
        return ""

    @property
    def _major(self) -> str:
        return self.contract.version.partition(".")[0] or "0"


def surface(contract: Contract) -> Surface:
    """Raises NoClient."""
    if contract.kind != OPENAPI:
        raise NoClient(f"{contract.name}: clients are made of OpenAPI contracts; this one is of events")
    try:
        whole = Contract.parse(json.dumps(bundle(contract)), contract.name)
        schemas, taken = Schemas(whole), set[str]()
        endpoints = tuple(_endpoint(operation, schemas, taken) for operation in whole.operations)
    except Unresolved as error:
        raise NoClient(f"{contract.name}: {error}") from None
    if not endpoints:
        raise NoClient(f"{contract.name}: it has no operations")
    return Surface(whole, endpoints, schemas)


def _endpoint(operation: Operation, schemas: Schemas, taken: set[str]) -> Endpoint:
    name = unique(snake(operation.id), taken)
    taken.add(name)
    keyed = any(str(said.get("name")).lower() == _KEY for said in operation.parameters)
    return Endpoint(
        name, operation, tuple(_parameters(operation)), _body(operation, schemas), tuple(_answers(operation, schemas)), keyed,
        _items(operation, schemas),
    )  # fmt: skip


def _parameters(operation: Operation) -> Iterator[Parameter]:
    taken = {"body", "idempotency_key", "correlation_id", "models"}
    for said in operation.parameters:
        name, place = str(said.get("name")), str(said.get("in"))
        if place == "cookie" or (place == "header" and name.lower() in _CARRIED):
            continue
        if "schema" not in said or said.get("style") in ("deepObject", "matrix", "label", "spaceDelimited", "pipeDelimited"):
            raise NoClient(f"{operation.id}: clients do not carry the {place} parameter {name}: only plain values and lists")
        argument = unique(snake(name), taken)
        taken.add(argument)
        joined = place != "query" or said.get("explode") is False
        about = str(said.get("description") or said.at("schema").get("description") or "").strip()
        yield Parameter(name, argument, place, said.get("required") is True, said.raw("schema"), about, joined)


def _body(operation: Operation, schemas: Schemas) -> Body | None:
    said = operation.body
    if said is None:
        return None
    required = said.get("required") is True
    for media, content in said.at("content").items():
        if _is_json(media):
            name = schemas.name(content.raw("schema"), f"{pascal(operation.id)}Body") if "schema" in content else None
            return Body(media, name, required)
    media = next((media for media, _ in said.at("content").items()), "application/octet-stream")
    return Body(media, None, required)


def _answers(operation: Operation, schemas: Schemas) -> Iterator[str | None]:
    found: dict[str | None, None] = {}
    for said in operation.successes.values():
        contents = dict(said.at("content").items())
        media = next((media for media in contents if _is_json(media)), None)
        if not contents:
            found[None] = None
        elif media is None or "schema" not in contents[media]:
            found[""] = None
        else:
            found[schemas.name(contents[media].raw("schema"), f"{pascal(operation.id)}Answer")] = None
    yield from found or (None,)


def _items(operation: Operation, schemas: Schemas) -> tuple[str, Node] | None:
    """The member of a page that lists, and what it lists; None where the operation does not come in pages."""
    queried = {str(said.get("name")) for said in operation.parameters if said.get("in") == "query"}
    for said in operation.successes.values() if operation.method == "get" else ():
        if "cursor" not in queried and "Link" not in said.at("headers"):
            continue
        for media, content in said.at("content").items():
            for name in _LISTS:
                listed = content.at("schema", "properties", name)
                if _is_json(media) and listed.get("type") == "array":
                    return name, listed.raw("items")
    return None


def _is_json(media: str) -> bool:
    return media.partition(";")[0] == "application/json" or media.partition(";")[0].endswith("+json")
