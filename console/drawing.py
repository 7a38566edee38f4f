"""The map of dependencies as SVG: a column for each layer, in the order of a call, readable without colour."""

from collections.abc import Iterator
from dataclasses import dataclass

from markupsafe import Markup

from console.session import PLACE
from governance.catalog.dependencies import COLUMNS, Edge, Map, Point
from governance.catalog.naming import api_page

WIDTH, HEIGHT, GAP, ROW = 168, 46, 74, 66
TOP, LEFT = 44, 12
TITLES = {
    "application": "Applications", "experience": "Experience", "process": "Process", "system": "System",
    "connection": "Connections", "beside": "Beside them",
}  # fmt: skip


@dataclass(frozen=True)
class Box:
    point: Point
    x: int
    y: int


def drawing(found: Map) -> Markup:
    """An `svg` element with a title and a description; what it shows is also to be said in a table beside it."""
    shown = [name for name in COLUMNS if found.column(name)]
    boxes = dict(_boxes(found, shown))
    rows = max((len(found.column(name)) for name in shown), default=0)
    width, height = LEFT * 2 + len(shown) * WIDTH + max(0, len(shown) - 1) * GAP, TOP + rows * ROW + 6
    parts = [
        Markup(
            '<svg class="map" viewBox="0 0 {w} {h}" width="{w}" height="{h}" role="group" aria-labelledby="map-t map-d">'
        ).format(w=width, h=height),
        Markup('<title id="map-t">Dependencies</title>'),
        Markup('<desc id="map-d">{} points and {} connections; the table below says the same in words.</desc>').format(
            len(found.points), len(found.edges)
        ),
        *_heads(shown),
        *(_line(edge, boxes[edge.source], boxes[edge.to]) for edge in found.edges),
        *(_box(box) for box in boxes.values()),
        Markup("</svg>"),
    ]
    return Markup("\n").join(parts)


def _boxes(found: Map, shown: list[str]) -> Iterator[tuple[str, Box]]:
    for column, name in enumerate(shown):
        for row, point in enumerate(found.column(name)):
            yield point.id, Box(point, LEFT + column * (WIDTH + GAP), TOP + row * ROW)


def _heads(shown: list[str]) -> Iterator[Markup]:
    for column, name in enumerate(shown):
        yield Markup('<text class="head" x="{}" y="24">{}</text>').format(LEFT + column * (WIDTH + GAP), TITLES[name])


def _line(edge: Edge, source: Box, to: Box) -> Markup:
    x1, y1, x2, y2 = source.x + WIDTH, source.y + HEIGHT // 2, to.x, to.y + HEIGHT // 2
    bend = (x2 - x1) // 2 if x2 > x1 else GAP
    words = f"{source.point.title} calls {to.point.title} ({edge.kind})"
    if edge.operations:
        words += ": " + ", ".join(edge.operations)
    return Markup('<path class="edge {}" d="M{} {} C{} {} {} {} {} {}"><title>{}</title></path>').format(
        edge.kind, x1, y1, x1 + bend, y1, x2 - bend, y2, x2, y2, words
    )


def _box(box: Box) -> Markup:
    shape = Markup('<rect x="{}" y="{}" width="{}" height="{}" rx="8"/>').format(box.x, box.y, WIDTH, HEIGHT)
    shape += Markup('<text class="name" x="{}" y="{}">{}</text>').format(box.x + 12, box.y + 20, _short(box.point.title, 22))
    shape += Markup('<text class="id" x="{}" y="{}">{}</text>').format(
        box.x + 12, box.y + 36, _short(box.point.about or box.point.id, 26)
    )
    if box.point.id.startswith(("app:", "at:")):
        return Markup('<g class="point {}">{}</g>').format(box.point.column, shape)
    return Markup('<a class="point {}" href="{}/{}">{}</a>').format(box.point.column, PLACE, api_page(box.point.id), shape)


def _short(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"
