"""An expectation may rely on what its contract promises and on nothing else; what goes beyond is said before asking."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import jsonschema_rs

from governance.changes.finding import dotted
from governance.changes.implication import Proof
from governance.changes.reason import Change, Reason
from governance.consumers.expectations import Expectation
from governance.contract import Contract, Operation
from governance.node import Alone, Node
from governance.reports.entry import Entry
from governance.source import Source
from governance.standalone import standalone

JSON = "application/json"
KEY = "idempotency-key"  # whoever verifies makes a new one


def operation_of(expectation: Expectation, contracts: Mapping[str, Contract]) -> Operation | None:
    """`contracts` by API and major."""
    contract = contracts.get(expectation.api)
    return next((one for one in contract.operations if one.id == expectation.operation), None) if contract else None


def beyond(expectation: Expectation, contracts: Mapping[str, Contract]) -> list[Entry]:
    """Where an expectation goes beyond its contract; nothing where it does not. Raises Unresolved."""
    operation = operation_of(expectation, contracts)
    if operation is None:
        there = (
            ", ".join(one.id for one in contracts[expectation.api].operations) if expectation.api in contracts else "no such API"
        )
        return [fault(expectation, "expectation-operation", f"{expectation.api} has no {expectation.operation} ({there})")]
    return [*_request(expectation, operation), *_answer(expectation, operation)]


def fault(expectation: Expectation, id: str, what: str, *, level: str = "error", fix: str = "") -> Entry:
    """Something about one expectation."""
    said = f"{expectation.application}, {expectation.name}: {what}"
    return Entry(id, level, said, expectation.source.name, expectation.line, expectation.pointer, expectation.operation, fix)


def _request(expectation: Expectation, operation: Operation) -> Iterator[Entry]:
    for what in (*_parameters(expectation, operation), *_body(expectation, operation)):
        yield fault(expectation, "expectation-request", what, fix="ask as the contract says")


def _parameters(expectation: Expectation, operation: Operation) -> Iterator[str]:
    known: dict[str, set[str]] = {"path": set(), "query": set(), "header": set()}
    for parameter in operation.parameters:
        name, place = str(parameter.get("name")), str(parameter.get("in"))
        given = _lowered(expectation.asked("headers", {})) if place == "header" else expectation.asked(place, {})
        key = name.lower() if place == "header" else name
        known.setdefault(place, set()).add(key)
        if key in given:
            wrong = _misfit(parameter.at("schema"), given[key])
            yield from [f"the {place} parameter {name} does not fit: {wrong}"] if wrong else []
        elif parameter.get("required") is True and key != KEY:
            yield f"the {place} parameter {name} is required"
    for place in ("path", "query"):
        for name in expectation.asked(place, {}).keys() - known[place]:
            yield f"there is no {place} parameter {name}"


def _body(expectation: Expectation, operation: Operation) -> Iterator[str]:
    body, said = expectation.asked("body", {}), operation.body
    if body is None:
        if said is not None and said.get("required") is True:
            yield "a body is required"
    elif said is None:
        yield "it takes no body"
    elif JSON not in said.raw("content"):
        yield f"it takes no {JSON}"
    else:
        wrong = _misfit(said.at("content", JSON, "schema"), body)
        yield from [f"the body does not fit: {wrong}"] if wrong else []


def _answer(expectation: Expectation, operation: Operation) -> Iterator[Entry]:
    status = str(expectation.status)
    answers = (operation.responses.get(known) for known in (status, f"{status[0]}XX", "default"))
    promised = next((one for one in answers if one is not None), None)
    if promised is None:
        there = ", ".join(operation.responses)
        yield fault(expectation, "expectation-status", f"{status} is not promised; {there} are")
    elif expectation.fields is not None:
        media = next((one for name, one in promised.at("content").items() if name.partition(";")[0].endswith("json")), None)
        if media is None or "schema" not in media:
            yield fault(expectation, "expectation-fields", f"no JSON is promised with {status}")
            return
        source = Source(expectation.source.name, json.dumps(expectation.fields))
        for reason in Proof().implies([media.raw("schema")], Node(source.root, source, Alone())):
            yield _unpromised(expectation, reason)


def _unpromised(expectation: Expectation, reason: Reason) -> Entry:
    place = dotted(reason.path) or "the body"
    if reason.change is Change.UNDECIDED:
        what, level = f"whether {place} is promised as it is expected cannot be told ({reason.keyword})", "warning"
    elif reason.keyword == "required":
        what, level = f"{place} is not promised: it may be left out", "error"
    else:
        what, level = f"{place} may be something else than {_named(reason.wanted.value)}", "error"
    return fault(
        expectation, "expectation-fields", what, level=level, fix="expect what the contract promises, or have it promised"
    )


def _named(wanted: Any) -> str:
    said = wanted.get("type", wanted) if isinstance(wanted, dict) else wanted
    return " or ".join(map(str, said)) if isinstance(said, list) else str(said)


def _misfit(schema: Node, value: Any) -> str:
    """ "" where it fits."""
    validator = jsonschema_rs.Draft202012Validator(standalone(schema), validate_formats=True)
    error = next(iter(validator.iter_errors(value)), None)
    return "" if error is None else error.message


def _lowered(headers: Mapping[str, Any]) -> dict[str, Any]:
    return {name.lower(): value for name, value in headers.items()}
