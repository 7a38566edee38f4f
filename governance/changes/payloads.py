"""Bodies, answers and headers: what may be sent must stay possible, what was promised must still come."""

from collections.abc import Iterator, Mapping

from governance.changes.comparison import Comparison
from governance.changes.finding import Finding, Severity
from governance.changes.pair import Pair
from governance.changes.words import Subject
from governance.contract import Operation
from governance.node import Node

ERR, WARN, INFO = Severity.ERR, Severity.WARN, Severity.INFO


def bodies(comparison: Comparison, pair: Pair, *, asked: bool = True) -> Iterator[Finding]:
    """`asked` False: it is we who send it, to a webhook or a callback."""
    old, new = pair.old.body, pair.new.body
    required = new is not None and new.get("required") is True
    if old is None and new is not None:
        severity, id = (ERR, "request-body-added-required") if required else (INFO, "request-body-added-optional")
        yield Finding(id, severity, pair.name, "callers who send no body are refused" if required else "a body may be sent",
                      pair.old.node, new)  # fmt: skip
    elif old is not None and new is None:
        sentence = "callers who send a body are refused or not heard"
        yield Finding("request-body-removed", WARN, pair.name, sentence, old, pair.new.node)
    elif old is not None and new is not None:
        if required and old.get("required") is not True and asked:
            sentence = "callers who send no body are refused"
            yield Finding("request-body-became-required", ERR, pair.name, sentence, old, new)
        part, whole = ("request-property", "request-body") if asked else ("webhook-property", "webhook-body")
        yield from _media(comparison, old, new, Subject(pair.name, part, whole, asked), "request-body-media-type")


def answers(comparison: Comparison, pair: Pair) -> Iterator[Finding]:
    yield from _statuses(pair.old, pair.new)
    for status, old in pair.old.responses.items():
        new = _covering(pair.new.responses, status)
        if new is None:
            continue
        good = status[0] in "2d"
        yield from _media(comparison, old, new, Subject(pair.name, "response-property", "response-body", asked=False),
                          "response-media-type", gone=ERR if good else WARN)  # fmt: skip
        yield from _headers(comparison, pair, old, new, good=good)


def _statuses(old: Operation, new: Operation) -> Iterator[Finding]:
    for status, said in old.responses.items():
        if _covering(new.responses, status) is None:
            good = status[0] == "2"
            id = "response-success-status-removed" if good else "response-non-success-status-removed"
            sentence = f"callers who wait for {status} never get it"
            yield Finding(id, ERR if good else INFO, new.name, sentence, said, new.node)
    for status, said in new.responses.items():
        if status not in old.responses and _covering(old.responses, status) is None:
            good = status[0] == "2"
            sentence = f"{status} is a new answer" + (", which callers do not know as a success" if good else "")
            id = "response-success-status-added" if good else "response-non-success-status-added"
            yield Finding(id, WARN if good else INFO, new.name, sentence, old.node, said)


def _covering(responses: Mapping[str, Node], status: str) -> Node | None:
    """The description of a status: its own, that of its hundred, or the default one."""
    return responses.get(status) or responses.get(f"{status[0]}XX") or responses.get("default")


def _media(comparison: Comparison, old: Node, new: Node, subject: Subject, id: str, gone: Severity = ERR) -> Iterator[Finding]:
    before, after = ({media.lower(): said for media, said in side.raw("content").items()} for side in (old, new))
    for media, said in before.items():
        if media not in after:
            verb = "send" if subject.asked else "read"
            sentence = f"{subject.who} who {verb} {media} cannot any more"
            yield Finding(f"{id}-removed", gone, subject.operation, sentence, said, new)
        elif "schema" in said and "schema" in after[media]:
            yield from comparison.schemas(said.raw("schema"), after[media].raw("schema"), subject)
        elif "schema" in after[media] and subject.asked:
            sentence = f"{subject.who} could send anything as {media}"
            yield Finding(f"{subject.whole}-type-changed", ERR, subject.operation, sentence, said, after[media])
        elif "schema" in said and not subject.asked:
            sentence = f"nothing is promised of {media} any more"
            yield Finding(f"{subject.whole}-type-changed", ERR, subject.operation, sentence, said, after[media])
    for media, said in after.items():
        if media not in before:
            yield Finding(f"{id}-added", INFO, subject.operation, f"{media} is possible too", old, said)


def _headers(comparison: Comparison, pair: Pair, old: Node, new: Node, *, good: bool) -> Iterator[Finding]:
    before, after = ({name.lower(): said.followed() for name, said in side.raw("headers").items()} for side in (old, new))
    for name, said in before.items():
        required = said.get("required") is True
        if name not in after:
            id, severity = ("required", ERR) if required else ("optional", WARN)
            sentence = f"callers who rely on the header {name} do not get it any more"
            yield Finding(f"{id}-response-header-removed", severity, pair.name, sentence, said, new)
            continue
        if required and after[name].get("required") is not True:
            sentence = f"callers who rely on the header {name} do not always get it any more"
            yield Finding("response-header-became-optional", ERR, pair.name, sentence, said, after[name])
        if "schema" in said and "schema" in after[name]:
            subject = Subject(pair.name, "response-header", "response-header", asked=False, called=f"the header {name}")
            yield from comparison.schemas(said.raw("schema"), after[name].raw("schema"), subject)
    for name, said in after.items():
        if name not in before and good:
            yield Finding("response-header-added", INFO, pair.name, f"the header {name} is new", None, said)
