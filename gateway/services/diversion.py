"""Where calls go besides their usual way: canaries and mirrors of one configuration, put around what ends each chain."""

from collections.abc import Iterable, Sequence
from typing import Protocol

from gateway.contracts import BadContract
from gateway.dispatch import Target
from gateway.pipeline import Forward, Operation
from gateway.services import canary
from gateway.services.mirror import SAFE, Mirror
from kernel.sections.services import Canary


class Rule(Protocol):
    """What canaries and mirrors have in common."""

    @property
    def name(self) -> str: ...

    @property
    def api(self) -> str: ...

    @property
    def operations(self) -> list[str]: ...


class Diversion:
    """`inner`: the usual way. Raises BadContract for a rule that speaks of what is not served."""

    def __init__(
        self,
        inner: Target,
        served: Sequence[Operation],
        canaries: Sequence[tuple[Canary, Target | None]],
        mirrors: Sequence[Mirror],
    ) -> None:
        self._inner, self._canaries, self._mirrors = inner, canaries, mirrors
        self._by_name = {(operation.api, _name(operation), _major(operation)): operation for operation in served}
        rules: list[Rule] = [*(rule for rule, _ in canaries), *(mirror.rule for mirror in mirrors)]
        for rule in rules:
            _check(rule, served)

    def forward(self, operation: Operation) -> Forward:
        forward = self._inner.forward(operation)
        for rule, target in self._canaries:
            if _speaks_of(rule, operation):
                other = self._other(operation, rule) if target is None else target.forward(operation)
                if other is not None:
                    forward = canary.around(rule, forward, other)
        for mirror in self._mirrors:
            safe = operation.method in SAFE or not mirror.rule.safe_only
            if safe and _speaks_of(mirror.rule, operation):
                forward = mirror.around(operation, forward)
        return forward

    def _other(self, operation: Operation, rule: Canary) -> Forward | None:
        """The same operation of the version; None for the version itself."""
        if _major(operation) == rule.version:
            return None
        other = self._by_name.get((operation.api, _name(operation), rule.version))
        if other is None:
            raise BadContract(f"canary {rule.name}: {operation.api} has no {_name(operation)} in {rule.version}")
        missing = other.path_parameters.keys() - operation.path_parameters.keys()
        if missing:
            raise BadContract(
                f"canary {rule.name}: {other.path} needs {', '.join(sorted(missing))}, which {operation.path} lacks"
            )
        return canary.at_version(other, self._inner.forward(other))


def _check(rule: Rule, served: Iterable[Operation]) -> None:
    names = {_name(operation) for operation in served if operation.api == rule.api}
    if not names:
        raise BadContract(f"{rule.name}: no contract promises an API {rule.api}")
    if strange := sorted(set(rule.operations) - names):
        raise BadContract(f"{rule.name}: {rule.api} has no {', '.join(strange)}")


def _speaks_of(rule: Rule, operation: Operation) -> bool:
    return rule.api == operation.api and (not rule.operations or _name(operation) in rule.operations)


def _name(operation: Operation) -> str:
    """The operationId as the document has it."""
    return str(operation.said.get("operationId", operation.id.rpartition(".")[2]))


def _major(operation: Operation) -> str:
    """The version in the path: `v1` of /process/orders/v1/orders."""
    parts = operation.path[1:].split("/")
    return next((part for part in parts if part[:1] == "v" and part[1:].isdecimal()), "")
