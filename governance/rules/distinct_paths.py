"""No two paths fit the same URL in a way that nobody could tell which is meant."""

from collections.abc import Iterator

from governance.contract import Contract
from governance.lint.rule import Violation, rule

Segments = list[str]


@rule(
    "distinct-paths", 5, see="Redocly no-ambiguous-paths, no-identical-paths", fix="give one of them a plain segment of its own"
)
def distinct_paths(contract: Contract) -> Iterator[Violation]:
    paths = {path: path.split("/") for path, _ in contract.root.at("paths").items()}
    shapes: dict[int, list[tuple[str, Segments]]] = {}
    for path, segments in paths.items():
        for other, known in shapes.setdefault(len(segments), []):
            if _ambiguous(segments, known):
                yield Violation(contract.root.at("paths").raw(path), f"{path} and {other} may be the same URL")
        shapes[len(segments)].append((path, segments))


def _ambiguous(one: Segments, other: Segments) -> bool:
    """Both fit some URL, and neither is the plainer one in every place."""
    pairs = list(zip(one, other, strict=True))
    if any(a != b and not _is_parameter(a) and not _is_parameter(b) for a, b in pairs):
        return False
    plainer = {(_is_parameter(a), _is_parameter(b)) for a, b in pairs if _is_parameter(a) != _is_parameter(b)}
    return len(plainer) != 1


def _is_parameter(segment: str) -> bool:
    return segment.startswith("{")
