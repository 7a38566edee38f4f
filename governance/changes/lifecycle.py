"""What ends is announced, and stays until the day that was announced."""

from collections.abc import Iterator
from datetime import date, timedelta

from governance.changes.comparison import Comparison
from governance.changes.finding import Finding, Severity
from governance.changes.pair import Pair, only, shape
from governance.contract import Contract, Operation

ERR, WARN, INFO = Severity.ERR, Severity.WARN, Severity.INFO
STAGES = ("draft", "published", "deprecated", "retired")


def removed(comparison: Comparison) -> Iterator[Finding]:
    """Operations that are gone."""
    left = {shape(operation.path) for operation in comparison.new.operations}
    for operation in only(comparison.old.operations, comparison.new.operations):
        kind = "api" if shape(operation.path) in left else "api-path"
        sunset = sunset_of(operation)
        if sunset is not None and sunset <= comparison.today:
            yield Finding(f"{kind}-removed-after-sunset", INFO, operation.name, f"it ended on {sunset}", operation.node)
        elif sunset is not None:
            sentence = f"callers were told that it stays until {sunset}"
            yield Finding(f"{kind}-removed-before-sunset", ERR, operation.name, sentence, operation.node)
        else:
            sentence = "callers find nothing there, and nobody had told them"
            yield Finding(f"{kind}-removed-without-deprecation", ERR, operation.name, sentence, operation.node)
    for operation in only(comparison.old.webhooks, comparison.new.webhooks):
        sentence = f"subscribers to {operation.path} are never called again"
        yield Finding("webhook-removed", ERR, f"webhook {operation.path}", sentence, operation.node)


def sunsets(comparison: Comparison, pair: Pair) -> Iterator[Finding]:
    before, after = sunset_of(pair.old), sunset_of(pair.new)
    old, new, soonest = pair.old.node, pair.new.node, comparison.today + timedelta(days=comparison.notice)
    if before is not None and after is None:
        if is_deprecated(pair.new):
            yield Finding("sunset-deleted", ERR, pair.name, "callers do not know any more when it ends", old, new)
    elif before is None and after is not None and after < soonest:
        sentence = f"callers have until {after}, less than the {comparison.notice} days they are promised"
        yield Finding("api-sunset-date-too-small", ERR, pair.name, sentence, old, new)
    elif before is not None and after is not None and after < min(before, soonest):
        sentence = f"callers were told {before} and have until {after} only"
        yield Finding("api-sunset-date-changed-too-small", ERR, pair.name, sentence, old, new)
    if is_deprecated(pair.new) and not is_deprecated(pair.old):
        yield Finding("endpoint-deprecated", INFO, pair.name, "it is deprecated now", old, new)


def stability(old: Contract, new: Contract) -> Iterator[Finding]:
    """A published promise does not become a draft again."""
    if old.stage in STAGES[1:] and new.stage == STAGES[0]:
        sentence = f"callers built on what was {old.stage}, and is a draft now"
        yield Finding("api-stability-decreased", ERR, "", sentence, old.info, new.info)


def is_deprecated(operation: Operation) -> bool:
    return operation.node.get("deprecated") is True or operation.contract.stage in STAGES[2:]


def sunset_of(operation: Operation) -> date | None:
    """The day after which it may be gone: the operation's own (`x-sunset`), else its contract's."""
    lifecycle = operation.contract.info.get("x-trivium-lifecycle")
    said = operation.node.get("x-trivium-sunset") or operation.node.get("x-sunset")
    said = said or (lifecycle.get("sunset") if isinstance(lifecycle, dict) else None)
    try:
        return date.fromisoformat(str(said)[:10]) if said else None
    except ValueError:
        return None
