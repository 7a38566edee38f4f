"""What a contract promises beside shapes: who may call, how often, how long, whether twice is once, how one pages."""

from collections.abc import Iterator, Mapping
from typing import Any

from governance.changes.comparison import Comparison
from governance.changes.finding import Finding, Severity
from governance.changes.pair import Pair
from governance.contract import Contract, Operation
from governance.schemas import contents

ERR, WARN, INFO = Severity.ERR, Severity.WARN, Severity.INFO
AUDIENCES = ("internal", "partner", "public")  # each includes those before it
CLASSES = ("public", "internal", "confidential", "payment", "tax")
_PAGING = {"cursor": {"cursor", "page_token"}, "offset": {"offset", "start"}, "page": {"page", "page_number"}}


def promises(comparison: Comparison, pair: Pair) -> Iterator[Finding]:
    yield from _security(pair)
    yield from _limits(pair)
    yield from _timeouts(pair)
    yield from _idempotency(pair)
    yield from _paging(pair)
    if pair.old.id != pair.new.id and "operationId" in pair.old.node:
        sentence = f"generated clients know it as {pair.old.id}, not as {pair.new.id}"
        yield Finding("api-operation-id-changed", WARN, pair.name, sentence, pair.old.node, pair.new.node)


def audience(old: Contract, new: Contract) -> Iterator[Finding]:
    """A narrower circle shuts somebody out."""
    if old.audience in AUDIENCES and new.audience in AUDIENCES:
        before, after = AUDIENCES.index(old.audience), AUDIENCES.index(new.audience)
        if after < before:
            sentence = f"{old.audience} callers are shut out: it is {new.audience} now"
            yield Finding("api-audience-narrowed", ERR, "", sentence, old.info, new.info)
        elif after > before:
            yield Finding("api-audience-widened", INFO, "", f"it is {new.audience} now", old.info, new.info)


def _security(pair: Pair) -> Iterator[Finding]:
    """Every way in that the old contract gave must still lead in."""
    old, new = _ways(pair.old), _ways(pair.new)
    for way in old:
        if any(_enough(way, other) for other in new):
            continue
        nearest = min(new, key=lambda other: len(_demands(other) - _demands(way)))
        missing = sorted(_demands(nearest) - _demands(way))
        schemes = {scheme for scheme, _ in missing} - {scheme for scheme, _ in _demands(way)}
        said = ", ".join(scope or scheme for scheme, scope in missing)
        id = "api-security-added" if not way else "api-security-scheme-changed" if schemes else "api-security-scope-added"
        yield Finding(id, ERR, pair.name, f"callers whose token lacks {said} are refused", pair.old.node, pair.new.node)


def _ways(operation: Operation) -> list[Mapping[str, list[str]]]:
    return list(operation.security or []) or [{}]


def _enough(way: Mapping[str, list[str]], other: Mapping[str, list[str]]) -> bool:
    return _demands(other) <= _demands(way)


def _demands(way: Mapping[str, list[str]]) -> set[tuple[str, str]]:
    return {(scheme, "") for scheme in way} | {(scheme, scope) for scheme, scopes in way.items() for scope in scopes or ()}


def _limits(pair: Pair) -> Iterator[Finding]:
    old, new = (_rates(operation) for operation in (pair.old, pair.new))
    for plan in old.keys() & new.keys():
        for policy, (quota, window) in new[plan].items():
            before = old[plan].get(policy)
            if before is None or quota * before[1] < before[0] * window or quota < before[0]:
                said = "a limit that was not there" if before is None else f"less than {before[0]} in {before[1]} s"
                sentence = f"callers on plan {plan} meet {policy}, {quota} in {window} s: {said}"
                yield Finding("rate-limit-lowered", ERR, pair.name, sentence, pair.old.node, pair.new.node)


def _rates(operation: Operation) -> dict[str, dict[str, tuple[int, int]]]:
    said = operation.extension("limits", {})
    plans: dict[str, Any] = said if isinstance(said, dict) else {}
    return {
        plan: {
            str(one.get("policy")): (int(one.get("quota", 0)), int(one.get("window", 1) or 1))
            for one in entries if isinstance(one, dict) and not one.get("shadow")
        }
        for plan, entries in plans.items() if isinstance(entries, list)
    }  # fmt: skip


def _timeouts(pair: Pair) -> Iterator[Finding]:
    before, after = (operation.extension("timeout") for operation in (pair.old, pair.new))
    if isinstance(before, int | float) and isinstance(after, int | float) and after < before:
        sentence = f"callers whose work takes more than {after:g} s, which could take {before:g}, are broken off"
        yield Finding("timeout-lowered", ERR, pair.name, sentence, pair.old.node, pair.new.node)


def _idempotency(pair: Pair) -> Iterator[Finding]:
    before, after = (str(operation.extension("idempotency", "none")) for operation in (pair.old, pair.new))
    if before == "required" != after:
        sentence = "callers who repeat with the same key do it twice"
        yield Finding("idempotency-removed", ERR, pair.name, sentence, pair.old.node, pair.new.node)
    elif after == "required" != before:
        sentence = "callers who send no Idempotency-Key are refused"
        yield Finding("idempotency-required", ERR, pair.name, sentence, pair.old.node, pair.new.node)


def _paging(pair: Pair) -> Iterator[Finding]:
    before, after = _pages(pair.old), _pages(pair.new)
    if before and before != after:
        sentence = f"callers who page by {before} get the first page for ever, or a refusal"
        yield Finding("pagination-style-changed", ERR, pair.name, sentence, pair.old.node, pair.new.node)


def _pages(operation: Operation) -> str:
    names = {str(one.get("name")) for one in operation.parameters if one.get("in") == "query"}
    return next((style for style, known in _PAGING.items() if names & known), "")


def classification(comparison: Comparison, pair: Pair) -> Iterator[Finding]:
    """A field in a higher class is kept from callers who had it; in a lower one it is shown to people who must not see it."""
    for status, old in pair.old.successes.items():
        if status not in pair.new.responses:
            continue
        before = {path: found for schema in contents(old) for path, found in _classes(schema)}
        for schema in contents(pair.new.responses[status]):
            for path, (rank, node) in _classes(schema):
                was = before.get(path)
                if was is not None and was[0] != rank:
                    raised = rank > was[0]
                    id = "classification-raised" if raised else "classification-lowered"
                    said = f"callers without clearance for {CLASSES[rank]} lose" if raised else "more callers see"
                    yield Finding(id, ERR if raised else WARN, pair.name, f"{said} {path or 'the whole'}", was[1], node)


def _classes(schema: Any) -> Iterator[tuple[str, tuple[int, Any]]]:
    waiting, seen = [("", schema)], set()
    while waiting:
        path, node = waiting.pop()
        node = node.followed()
        if node in seen:
            continue
        seen.add(node)
        said = node.get("x-trivium-classification", "public")
        yield path, (CLASSES.index(said) if said in CLASSES else 0, node)
        waiting += [(f"{path}.{name}".strip("."), child) for name, child in node.raw("properties").items()]
        waiting += [(f"{path}[]", node.raw("items"))] if isinstance(node.get("items"), dict) else []
        waiting += [(path, child) for word in ("allOf", "anyOf", "oneOf") for child in node.raw(word).elements()]
