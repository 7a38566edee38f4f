"""What a change means to callers is said in their words: scopes, limits, timeouts, audience, keys, lifecycle, schemas."""

from collections.abc import Callable
from typing import Any

import pytest
import yaml

from gateway.configuration.changes import MOST_PER_OPERATION, changes
from gateway.contracts import load_texts
from gateway.pipeline import Operation
from tests.gateway.conftest import CONTRACT

ORDERS = "/process/orders/v1/orders"
HELLO = "/process/orders/v1/hello"
SUBMIT = "process.orders.v1.submit_order"


def _operations(how: Callable[[Any], object] = lambda _: None) -> tuple[Operation, ...]:
    document = yaml.safe_load(CONTRACT)
    how(document)
    return load_texts({"v1.yaml": yaml.safe_dump(document)})


def _said(how: Callable[[Any], object]) -> dict[str, list[str]]:
    found = changes(_operations(), _operations(how), ({}, {}))
    return {each.operation: list(each.how) for each in found.changed}


def test_the_same_contracts_change_nothing() -> None:
    assert changes(_operations(), _operations(), ({"a": 1}, {"a": 1})).none


def test_operations_come_and_go() -> None:
    found = changes(_operations(), _operations(lambda document: document["paths"].pop(HELLO)), ({}, {}))
    back = changes(_operations(lambda document: document["paths"].pop(HELLO)), _operations(), ({}, {}))

    assert list(found.removed) == list(back.added) == [f"process.orders.v1.say_hello  GET {HELLO}"]
    assert not found.changed


@pytest.mark.parametrize(
    ("how", "line"),
    [
        ({"security": [{"oauth2": ["orders:read"]}]}, "scope orders:read: asked for from now on"),
        ({"security": [{"oauth2": ["orders:read"]}]}, "scope orders:write: no longer asked for"),
        ({"x-trivium-timeout": 7}, "timeout (s): 5.0 → 7.0"),
        ({"x-trivium-max-body": 10}, "largest body (bytes): 2000 → 10"),
        ({"x-trivium-idempotency": "none"}, "idempotency key: required → none"),
        ({"x-trivium-audience": "partner"}, "audience: internal → partner"),
        ({"security": []}, "public: false → true"),
        ({"x-trivium-cache": {"ttl": 5}}, 'x-trivium-cache: nothing → {"ttl": 5}'),
    ],
)
def test_a_change_of_one_operation(how: dict[str, Any], line: str) -> None:
    said = _said(lambda document: document["paths"][ORDERS]["post"].update(how))

    assert line in said[SUBMIT]
    assert list(said) == [SUBMIT]


def test_limits_are_told_by_plan_and_policy() -> None:
    limits = {"default": [{"policy": "burst", "quota": 2, "window": 60}], "gold": [{"policy": "burst", "quota": 5, "window": 60}]}
    said = _said(lambda document: document["paths"][ORDERS]["post"].update({"x-trivium-limits": limits}))

    assert said[SUBMIT] == ["limits default.burst.quota: 3 → 2"]


def test_schemas_and_parameters_are_told_by_place() -> None:
    def change(document: Any) -> None:
        document["components"]["schemas"]["NewOrder"]["properties"]["quote"]["maxLength"] = 4
        document["paths"][ORDERS]["get"]["parameters"][0]["schema"]["maximum"] = 20

    said = _said(change)

    assert any(line.startswith("body ") and line.endswith("maxLength: 8 → 4") for line in said[SUBMIT])
    assert said["process.orders.v1.list_orders"] == ["query parameter limit.maximum: 50 → 20"]


def test_settings_are_told_by_key_and_of_those_that_wait_for_a_restart_the_key_alone() -> None:
    before = {"limits": {"outage": "local", "rest": 1.0}, "database_url": "postgresql://a:hunter2@b/c", "server": {"port": 1}}
    after = {"limits": {"outage": "deny", "rest": 2.0}, "database_url": "postgresql://a:hunter3@b/c", "server": {"port": 2}}
    found = changes((), (), (before, after))

    assert list(found.settings) == ["limits.outage: local → deny"]
    assert list(found.restart) == ["database_url", "limits.rest", "server.port"]


def test_many_differences_are_counted_instead_of_listed() -> None:
    properties = {f"p{number}": {"type": "string"} for number in range(MOST_PER_OPERATION + 9)}
    said = _said(lambda document: document["components"]["schemas"]["NewOrder"]["properties"].update(properties))

    assert len(said[SUBMIT]) == MOST_PER_OPERATION + 1
    assert said[SUBMIT][-1] == "and 9 more differences"
