"""Contracts that cannot be enforced stop the start, and the message says which, where and why."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gateway.contracts import BadContract, load
from gateway.pipeline import Limit

ORDERS = "/process/orders/v1/orders"
Change = Callable[[Callable[[Any], object]], str]


@pytest.fixture
def loaded(tmp_path: Path) -> Callable[..., Any]:
    def read(*texts: str, **said: Any) -> Any:
        for number, text in enumerate(texts):
            (tmp_path / f"v{number}.yaml").write_text(text, encoding="utf-8")
        return {operation.id.rpartition(".")[2]: operation for operation in load(tmp_path, **said)}

    return read


def test_an_operation_is_everything_its_contract_says(loaded: Any, contract: Change) -> None:
    submit = loaded(contract(lambda document: None))["submit_order"]

    assert (submit.api, submit.version, submit.layer, submit.method, submit.path) == (
        "process/orders", "1.2.0", "process", "POST", ORDERS,
    )  # fmt: skip
    assert submit.scopes == {"orders:write"}
    assert not submit.public
    assert submit.limits == {"default": (Limit("burst", 3, 60),), "gold": (Limit("burst", 5, 60),)}
    assert (submit.idempotency, submit.timeout, submit.max_body) == ("required", 5.0, 2000)
    assert submit.required_headers == {"idempotency-key"}
    assert submit.body_media == ("application/json",)
    assert submit.body_required


def test_a_body_schema_carries_what_it_refers_to(loaded: Any, contract: Change) -> None:
    schema = loaded(contract(lambda document: None))["submit_order"].body_schema

    assert schema["$ref"] == "#/$defs/NewOrder"
    assert schema["$defs"]["NewOrder"]["properties"]["lines"]["items"] == {"$ref": "#/$defs/Line"}
    assert set(schema["$defs"]) == {"NewOrder", "Line"}


def test_schemas_that_refer_to_each_other_are_taken_once(loaded: Any, contract: Change) -> None:
    def circle(document: Any) -> None:
        document["components"]["schemas"]["Line"]["properties"]["order"] = {"$ref": "#/components/schemas/NewOrder"}

    schema = loaded(contract(circle))["submit_order"].body_schema

    assert set(schema["$defs"]) == {"NewOrder", "Line"}


def test_referred_parameters_and_those_of_the_path_are_resolved(loaded: Any, contract: Change) -> None:
    def refer(document: Any) -> None:
        document["components"]["parameters"] = {
            "Id": {"in": "path", "name": "order_id", "required": True, "schema": {"type": "string"}}
        }
        item = document["paths"][f"{ORDERS}/{{order_id}}"]
        item["parameters"] = [{"$ref": "#/components/parameters/Id"}]
        del item["get"]["parameters"]

    assert loaded(contract(refer))["get_order"].path_parameters == {"order_id": {"type": "string"}}


def test_only_an_explicit_empty_security_makes_an_operation_public(loaded: Any, contract: Change) -> None:
    assert loaded(contract(lambda document: None))["say_hello"].public


def _without(*names: str) -> Callable[[Any], object]:
    def remove(document: Any) -> None:
        for name in names:
            del document["paths"][ORDERS]["post"][name]

    return remove


def _with(**said: Any) -> Callable[[Any], object]:
    return lambda document: document["paths"][ORDERS]["post"].update(
        {name.replace("_", "-"): value for name, value in said.items()}
    )


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (_without("security"), "it has no security"),
        (_without("operationId"), "it has no operationId"),
        (_with(x_trivium_limits=[{"policy": "a", "quota": 1, "window": 1}]), "a list of limits for each plan"),
        (_with(x_trivium_limits={"default": [{"policy": "a", "quota": 0, "window": 1}]}), "plan default, entry 1: quota: "),
        (_with(x_trivium_limits={"default": [{"policy": "a", "quota": 1, "window": 1}] * 2}), "the policy name a is there twice"),
        (_with(security=[{"oauth2": ["orders:burn"]}]), "orders:burn is unknown to the security scheme"),
        (_with(security=[{"oauth2": []}]), "without any scope"),
        (_with(security=[{"oauth2": ["orders:read"]}, {}]), "exactly one security requirement"),
        (_with(x_trivium_timeout=0), "x-trivium-timeout"),
        (_with(x_trivium_max_body=-1), "x-trivium-max-body"),
        (_with(x_trivium_idempotency="maybe"), "x-trivium-idempotency"),
        (_with(requestBody={"$ref": "#/components/requestBodies/None"}), "refers to nothing"),
        (_with(requestBody={"$ref": "other.yaml#/a"}), "refers outside its own document"),
        (_with(parameters=[{"in": "path", "name": "ghost", "required": True, "schema": {}}]), "has no parameter ghost"),
        (_with(parameters=[{"in": "query", "name": "q", "style": "deepObject", "schema": {}}]), "a style that cannot be checked"),
    ],
)  # fmt: skip
def test_what_cannot_be_enforced_stops_the_start(
    loaded: Any, contract: Change, change: Callable[[Any], object], said: str
) -> None:
    with pytest.raises(BadContract) as refused:
        loaded(contract(change))

    assert said in str(refused.value)
    assert "v0.yaml: POST /process/orders/v1/orders" in str(refused.value)


def test_everything_wrong_is_told_at_once(loaded: Any, contract: Change) -> None:
    with pytest.raises(BadContract) as refused:
        loaded(contract(_without("security", "operationId")))

    assert len(str(refused.value).splitlines()) == 2


def test_a_scope_that_no_token_can_carry_stops_the_start(loaded: Any, contract: Change) -> None:
    with pytest.raises(BadContract, match="orders:write is unknown to the authorization server"):
        loaded(contract(lambda document: None), known_scopes={"orders:read"})


def test_two_operations_of_one_name_stop_the_start(loaded: Any, contract: Change) -> None:
    def elsewhere(document: Any) -> None:
        document["paths"] = {"/copies": {"get": document["paths"][ORDERS]["get"]}}

    used = r"the operationId process.orders.v1.list_orders" r" is used by GET .*orders\) and by GET /copies"
    with pytest.raises(BadContract, match=used):
        loaded(contract(lambda document: None), contract(elsewhere))


@pytest.mark.parametrize("path", ["/a/{b}.json", "/a//b", "a", "/a/{b", "/a/../b", "/a?b=c"])
def test_paths_that_no_matcher_could_tell_apart_stop_the_start(loaded: Any, contract: Change, path: str) -> None:
    def rename(document: Any) -> None:
        document["paths"][path] = document["paths"].pop("/process/orders/v1/hello")

    with pytest.raises(BadContract, match="a path is made of plain segments"):
        loaded(contract(rename))


def test_dates_in_a_contract_stay_strings(loaded: Any, contract: Change) -> None:
    text = contract(lambda document: None).replace("maxLength: 8", "enum: [2026-01-31]")

    assert loaded(text)["submit_order"].body_schema["$defs"]["NewOrder"]["properties"]["quote"]["enum"] == ["2026-01-31"]


@pytest.mark.parametrize("text", ["[1, 2]", "openapi: 3.1.0", "a: [", "info: {}\npaths: 7"])
def test_a_file_that_is_no_contract_stops_the_start(loaded: Any, text: str) -> None:
    with pytest.raises(BadContract, match=r"v0\.yaml: cannot be read"):
        loaded(text)


def test_no_contract_at_all_stops_the_start(loaded: Any) -> None:
    with pytest.raises(BadContract, match="there is no contract"):
        loaded()
