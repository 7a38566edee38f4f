"""How schemathesis treats a contract: with every check, the same cases each run, and existing ids among those it makes up."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import schemathesis
from schemathesis.checks import CheckContext
from schemathesis.config import SchemathesisConfig
from schemathesis.core.failures import Failure
from schemathesis.core.transport import Response
from schemathesis.engine import events, from_schema
from schemathesis.hooks import HookContext, unregister
from schemathesis.specs.openapi.schemas import OpenApiSchema

LONGEST = 2000  # characters of a fault that are shown
EXAMPLES = 10  # an operation, beside the cases that cover its schema systematically
# Members of bodies that name something, by the parameter that would name it.
IN_BODIES = {
    "body.id": "quote_id", "body.account.id": "account_id", "body.quote.id": "quote_id", "body.customer.id": "customer_id",
    "body.lines.[*].price": "price", "body.lines.[*].item": "item", "body.currency": "currency", "body.legal_entity": "entity_id",
}  # fmt: skip
# Rules over several members cannot be said in JSON Schema: whoever breaks one of these kept to the schema.
RULES = ("decimals",)


class Misread(Failure):
    """The contract allows the request, and the API says that the contract does not."""

    __slots__ = ()


@schemathesis.check
def valid_data_keeps_the_contract(ctx: CheckContext, response: Response, case: schemathesis.Case) -> bool | None:
    """In place of `positive_data_acceptance`, which knows no refusal for business reasons: that one of ours is a 422 as well."""
    if case.meta is None or not case.meta.generation.mode.is_positive or response.status_code not in (400, 413, 415, 422):
        return None
    problem = response.json()
    errors = problem.get("errors", [])
    if response.status_code == 422 and all(any(rule in error["detail"] for rule in RULES) for error in errors):
        return None  # refused for what it would do, not for how it is written
    said = f"{problem['detail']} {errors}"
    raise Misread(operation=case.operation.label, title="Valid data is said to break the contract", message=said)


def contract(view: Mapping[str, Any], known: Mapping[str, Sequence[str]], without: Sequence[str] = ()) -> OpenApiSchema:
    """The contract ready to be tested. `known`: values that exist, by the name of the parameter that takes them."""
    bound = {f"{where}.{name}": {"dictionary": name, "probability": 0.6} for name in known for where in ("path", "query")}
    bound |= {place: {"dictionary": name, "probability": 0.6} for place, name in IN_BODIES.items() if name in known}
    off = {name: {"enabled": False} for name in ("positive_data_acceptance", *without)}
    config = SchemathesisConfig.from_dict(
        {
            "seed": 20260615,
            "workers": 1,
            "continue-on-failure": True,
            "generation": {"deterministic": True, "max-examples": EXAMPLES, "no-shrink": True},
            "phases": {"stateful": {"generation": {"max-examples": EXAMPLES}, "max-steps": 4}},
            "checks": {"negative_data_rejection": {"expected-statuses": [400, 401, 403, 404, 405, 409, 413, 415, 422]}, **off},
            "dictionaries": {name: {"values": list(values)} for name, values in known.items()},
            "parameters": bound,
        }
    )
    return schemathesis.openapi.from_dict(dict(view), config=config)


@dataclass
class Findings:
    """What a run found wrong, and what was answered to how many requests: status by operation."""

    faults: list[str] = field(default_factory=list)
    answers: dict[str, Counter[int]] = field(default_factory=lambda: defaultdict(Counter))

    def note(self, scenario: events.ScenarioFinished) -> None:
        recorder = scenario.recorder
        for id, interaction in recorder.interactions.items():
            if interaction.response is not None and id in recorder.cases:
                self.answers[recorder.cases[id].value.operation.label][interaction.response.status_code] += 1
        for id, checked in recorder.checks.items():
            label = recorder.cases[id].value.operation.label
            for check in checked:
                if check.failure_info is not None:
                    failed = check.failure_info
                    said = f"{scenario.phase.value} {label}: {check.name}: {failed.failure.message} {failed.code_sample}"
                    self.faults.append(said[:LONGEST])


@contextmanager
def sparing(client: str, others: Sequence[str]) -> Iterator[None]:
    """No case closes the client that asks: what would is about one of these others."""

    def before_call(context: HookContext, case: schemathesis.Case, kwargs: dict[str, Any]) -> None:
        if client and case.method != "GET" and case.path_parameters.get("client_id") == client:
            case.path_parameters["client_id"] = others[0]

    schemathesis.hook(before_call)
    try:
        yield
    finally:
        unregister(before_call)


def run(schema: OpenApiSchema, client: str = "", others: Sequence[str] = ()) -> Findings:
    """Every phase of schemathesis: examples, coverage, fuzzing, and what the links lead to."""
    found = Findings()
    with sparing(client, others):
        for event in from_schema(schema).execute():
            match event:
                case events.ScenarioFinished():
                    found.note(event)
                case events.NonFatalError():
                    found.faults.append(f"{event.label}: {event.value!r}")
                case events.FatalError():
                    raise event.exception
    return found
