"""A collection is called by its plural: a segment before an id, or at the end of a path that is listed or added to."""

from collections.abc import Iterator

from governance.contract import Contract
from governance.lint.rule import Severity, Violation, rule

_FIXED = 3  # layer, API, version
_SINGULAR_ENDINGS = ("ss", "us", "is")


@rule("plural-resources", 21, severity=Severity.WARNING, see="Zalando 134; Google AIP-122", fix="use the plural of the noun")
def plural_resources(contract: Contract) -> Iterator[Violation]:
    for path, item in contract.root.at("paths").items():
        segments = path.split("/")[1:]
        start = _FIXED if contract.layer and segments[:1] == [contract.layer] else 0
        for index, segment in enumerate(segments):
            followed = index + 1 < len(segments) and segments[index + 1].startswith("{")
            if index >= start and followed and not segment.startswith("{") and not _is_plural(segment):
                yield Violation(item, f"{segment} in {path} is one, and ids follow it")
        last = segments[-1]
        if "post" in item.followed() and len(segments) > start and not last.startswith("{") and not _is_plural(last):
            yield Violation(item, f"{path} is added to and called {last}")


def _is_plural(segment: str) -> bool:
    noun = segment.split("-by-")[0].rsplit("-", 1)[-1]  # customers-by-key
    return noun.endswith("s") and not noun.endswith(_SINGULAR_ENDINGS)
