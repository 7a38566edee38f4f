"""What the gateway really answers on the way through every operation is what the contracts say it answers."""

import json

import pytest

from tests.contract_tests.contract_files import Promise, matching, promises, resolved, validator
from tests.contract_tests.travels import Exchange, Travels

pytestmark = pytest.mark.slow


def test_every_promised_operation_was_seen_to_succeed(travels: Travels) -> None:
    seen = {_promise(exchange).id for exchange in travels.exchanges if exchange.status < 300}

    assert seen == {promise.id for promise in promises()}


def test_every_answer_is_one_that_its_contract_promises(travels: Travels) -> None:
    wrong = [fault for exchange in travels.exchanges for fault in _faults(exchange)]

    assert wrong == []


def _promise(exchange: Exchange) -> Promise:
    found = matching(exchange.method, exchange.path)
    assert found is not None, f"no contract promises {exchange}"
    return found


def _faults(exchange: Exchange) -> list[str]:
    """Where the answer departs from the contract: its status, its headers, its media type, its body."""
    promise = _promise(exchange)
    said = promise.answer(exchange.status)
    if said is None:
        return [f"{exchange}: the contract does not speak of this status"]
    found = [f"{exchange}: {fault}" for fault in _header_faults(exchange, promise)]
    content = said.get("content")
    if not content:
        return [*found, *([f"{exchange}: a body nobody promised"] if exchange.body else [])]
    media = exchange.headers["content-type"]
    if media not in content:
        return [*found, f"{exchange}: {media} is not one of {', '.join(content)}"]
    errors = validator(content[media]["schema"], promise.document).iter_errors(json.loads(exchange.body))
    return [*found, *(f"{exchange}: {error.instance_path} {error.message}" for error in errors)]


def _header_faults(exchange: Exchange, promise: Promise) -> list[str]:
    found = []
    for name, reference in (promise.answer(exchange.status) or {})["headers"].items():
        said = resolved(reference, promise.document)
        value = exchange.headers.get(name)
        if value is None:
            found += [f"without {name}"] if said.get("required") else []
        else:
            typed = int(value) if said["schema"]["type"] == "integer" else value
            found += [f"{name}: {error.message}" for error in validator(said["schema"], promise.document).iter_errors(typed)]
    return found
