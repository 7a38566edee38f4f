"""Who calls whom, from the portal to the platform's account: as contracts and applications declare it, and as it was seen."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from governance.catalog.naming import key_of
from governance.consumers.declared import Application
from governance.contract import Contract

COLUMNS = ("application", "experience", "process", "system", "connection", "beside")
DECLARED, OBSERVED = "declared", "observed"


@dataclass(frozen=True)
class Connected:
    """One account of a platform, and the API (process key without version: system/erp) through which it is reached."""

    connection: str
    vendor: str
    api: str


@dataclass(frozen=True)
class Point:
    """`column`: the layer, or what stands before and behind the layers. `title`, `about`: for people."""

    id: str
    title: str
    column: str
    about: str = ""


@dataclass(frozen=True)
class Edge:
    """`operations`: those of `to` that are called, sorted; none known for a platform's account."""

    source: str
    to: str
    operations: tuple[str, ...] = ()
    kind: str = DECLARED


@dataclass(frozen=True)
class Map:
    points: tuple[Point, ...]
    edges: tuple[Edge, ...]

    def column(self, name: str) -> list[Point]:
        return [point for point in self.points if point.column == name]


def drawn_from(
    contracts: Sequence[Contract], applications: Sequence[Application], connected: Sequence[Connected], observed: Sequence[Edge]
) -> Map:
    """Edges lead only to what is drawn; what calls nobody and is called by nobody stands beside."""
    by_key = {key_of(contract): contract for contract in contracts}
    points = {f"app:{one.name}": Point(f"app:{one.name}", one.name, "application", one.team) for one in applications}
    points |= {key: Point(key, str(contract.info.get("title", key)), contract.layer) for key, contract in by_key.items()}
    points |= {
        f"at:{one.connection}": Point(f"at:{one.connection}", one.connection, "connection", one.vendor) for one in connected
    }
    declared = [*_used(applications), *_called(by_key), *_reached(by_key, connected)]
    edges = tuple(edge for edge in _merged([*declared, *observed]) if edge.source in points and edge.to in points)
    joined = {end for edge in edges for end in (edge.source, edge.to)}
    placed = (_placed(point, joined) for point in points.values())
    return Map(tuple(sorted(placed, key=lambda point: (COLUMNS.index(point.column), point.id))), edges)


def _placed(point: Point, joined: set[str]) -> Point:
    if point.column in COLUMNS and (point.id in joined or point.column in ("experience", "process", "system")):
        return point
    return replace(point, column="beside")


def _used(applications: Iterable[Application]) -> Iterator[Edge]:
    for one in applications:
        for key, uses in one.uses.items():
            yield Edge(f"app:{one.name}", key, tuple(use.operation for use in uses))


def _called(contracts: dict[str, Contract]) -> Iterator[Edge]:
    for key, contract in contracts.items():
        for owner in (contract.info, *(operation.node for operation in contract.operations)):
            for said in owner.get("x-trivium-calls") or ():
                api, _, operation = str(said).partition("#")
                yield Edge(key, _versioned(api, contracts), (operation,) if operation else ())


def _versioned(api: str, contracts: dict[str, Contract]) -> str:
    """An API named without its version is the newest that there is."""
    return api if api in contracts else max((key for key in contracts if key.rpartition("/")[0] == api), default=api)


def _reached(contracts: dict[str, Contract], connected: Iterable[Connected]) -> Iterator[Edge]:
    for one in connected:
        yield from (Edge(key, f"at:{one.connection}") for key, contract in contracts.items() if contract.api == one.api)


def _merged(edges: Iterable[Edge]) -> list[Edge]:
    found: dict[tuple[str, str, str], set[str]] = {}
    for edge in edges:
        found.setdefault((edge.source, edge.to, edge.kind), set()).update(edge.operations)
    return [Edge(source, to, tuple(sorted(found[source, to, kind])), kind) for source, to, kind in sorted(found)]
