"""Tenancy as the caller meets it: its own accounts, a 404 for everything else, a 403 where nothing is open to partners."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import replace
from time import perf_counter_ns
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.contracts import BadContract
from gateway.door import _ASIDE
from gateway.partners.standing import PartnerStanding
from gateway.pipeline import Call, Caller
from gateway.policies.tenancy import require_own_body, require_tenancy
from kernel.problem import NotFound
from tests.gateway.conftest import CALLER

ORDERS = "/process/orders/v1/orders"
MINE, OTHER = "salesforce/001A", "salesforce/001B"
ACME = replace(CALLER, accounts=frozenset({MINE}), partner="acme", issued_at=1000)
QUERY = [{"in": "query", "name": name, "schema": {"type": "string"}} for name in ("connection", "account")]


def tenant(**tenancy: Any) -> Callable[[Any], None]:
    """The contract with this declaration on every operation, open to partners; `audience` to say otherwise."""

    def change(document: Any) -> None:
        document["info"]["x-trivium-audience"] = tenancy.pop("audience", "partner")
        for methods in document["paths"].values():
            for said in methods.values():
                if tenancy:
                    said["x-trivium-tenancy"] = tenancy

    return change


def by_path(document: Any) -> None:
    path = document["paths"].pop(f"{ORDERS}/{{order_id}}")
    path["get"]["parameters"] = [
        {"in": "path", "name": name, "required": True, "schema": {"type": "string"}} for name in ("connection", "account")
    ]
    path["get"]["x-trivium-tenancy"] = {"bound": "path", "account": ["connection", "account"]}
    document["paths"][f"{ORDERS}/{{connection}}/{{account}}"] = path
    document["info"]["x-trivium-audience"] = "partner"


def by_query(document: Any) -> None:
    listed = document["paths"][ORDERS]["get"]
    listed["parameters"] = QUERY
    listed["x-trivium-tenancy"] = {"bound": "query", "account": ["connection", "account"]}
    document["info"]["x-trivium-audience"] = "partner"


def by_body(document: Any) -> None:
    party = {"type": "object", "properties": {"connection": {"type": "string"}, "id": {}}}
    document["components"]["schemas"]["NewOrder"] = {"type": "object", "properties": {"party": party, "a/b~c": {}}}
    submit = document["paths"][ORDERS]["post"]
    submit["x-trivium-tenancy"] = {"bound": "body", "account": ["/party/connection", "/party/id"]}
    submit["x-trivium-limits"]["default"][0]["quota"] = 1000
    document["info"]["x-trivium-audience"] = "partner"


@pytest.fixture
def standings() -> dict[str, PartnerStanding]:
    return {}


@pytest.fixture
def opened(build: Any, contract: Any, standings: Any) -> Callable[..., Any]:
    """The house behind a contract that was changed so, called by a client of acme unless another caller is given."""

    def make(change: Callable[[Any], None], caller: Caller = ACME) -> Any:
        house = build(contract(change), means={"partners": standings})
        house.caller = caller
        return house

    return make


@pytest.mark.parametrize("change", [tenant(), tenant(bound="filtered", audience="internal")], ids=["undeclared", "internal"])
async def test_what_is_not_open_to_partners_is_refused_and_not_reached(opened, change) -> None:
    house = opened(change)
    answer = await house.ask("GET", f"{ORDERS}/o1")

    assert (answer.status, answer.json()["type"]) == (403, "urn:trivium:problem:forbidden")
    assert "ratelimit" not in answer.headers
    assert house.echo.scopes == []


async def test_an_operation_may_be_closed_in_an_api_that_is_open(opened) -> None:
    def change(document: Any) -> None:
        tenant(bound="filtered")(document)
        document["paths"][ORDERS]["get"]["x-trivium-audience"] = "internal"

    house = opened(change)

    assert (await house.ask("GET", ORDERS)).status == 403
    assert (await house.ask("GET", f"{ORDERS}/o1")).status == 200


@pytest.mark.parametrize("change", [tenant(), tenant(bound="filtered"), by_path, by_query, by_body])
async def test_who_is_not_restricted_is_asked_nothing(opened, change) -> None:
    house = opened(change, CALLER)
    paths = [f"{ORDERS}/salesforce/001B" if change is by_path else f"{ORDERS}/o1", ORDERS]

    assert {(await house.ask("GET", path)).status for path in paths} == {200}
    assert (await house.submit({} if change is by_body else {"quote": "Q"})).status == 200


async def test_behind_the_door_the_caller_is_known_with_its_accounts(opened) -> None:
    house = opened(tenant(bound="filtered"))
    await house.ask("GET", f"{ORDERS}/o1")

    assert house.echo.scopes[0]["trivium.caller"] == ACME


async def test_by_path_its_own_account_is_reached_and_another_s_does_not_exist(opened) -> None:
    house = opened(by_path)
    mine = await house.ask("GET", f"{ORDERS}/salesforce/001A")
    others = [await house.ask("GET", f"{ORDERS}/{path}", {"x-correlation-id": "same-for-all"}) for path in
              ("salesforce/001B", "salesforce/unknown", "hubspot/001A", "salesforce/001a")]  # fmt: skip

    assert mine.status == 200
    assert {other.status for other in others} == {404}
    assert len({_without_ids(other.json()) for other in others}) == 1
    assert len(house.echo.scopes) == 1


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("connection=salesforce&account=001A", 200),
        ("connection=salesforce&account=001%41", 200),
        ("connection=salesforce&account=001B", 404),
        ("connection=salesforce", 404),
        ("", 404),
        ("connection=salesforce&account=001A&account=001B", 404),
        ("connection=salesforce&account=001B&account=001A", 404),
        ("account=001A&connection=salesforce", 200),
        ("connection=salesforce%2F001A&account=", 404),
    ],
)
async def test_by_query_exactly_one_account_is_named(opened, query, status) -> None:
    assert (await opened(by_query).ask("GET", f"{ORDERS}?{query}")).status == status


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"party": {"connection": "salesforce", "id": "001A"}}, 200),
        ({"party": {"connection": "salesforce", "id": "001B"}}, 404),
        ({"party": {"connection": "salesforce"}}, 404),
        ({"party": {"connection": "salesforce", "id": ["001A"]}}, 404),
        ({"party": {"connection": "salesforce", "id": None}}, 404),
        ({}, 404),
        ({"party": "salesforce/001A"}, 422),
        (b"{", 400),
        (b'{"party": {"connection": "salesforce", "id": "001B"}, "party": {"connection": "salesforce", "id": "001A"}}', 400),
    ],
)
async def test_by_body_the_account_is_read_from_what_was_validated(opened, body, status) -> None:
    house = opened(by_body)
    answer = await house.submit(body)

    assert answer.status == status
    assert len(house.echo.bodies) == (status == 200)
    assert status == 200 or "ratelimit" not in answer.headers


async def test_a_name_has_one_reading(operation) -> None:
    """With the account "crm/a/b" nobody reaches account "b" of a connection "crm/a"."""
    mine = frozenset({"crm/a/b"})
    policy = require_own_body(
        operation(audience="partner", body_media=("application/json",), extensions={
            "x-trivium-tenancy": {"bound": "body", "account": ["/c", "/i"]}})
    )  # fmt: skip
    assert policy is not None

    assert await _passes(policy, mine, {"c": "crm", "i": "a/b"})
    assert not await _passes(policy, mine, {"c": "crm/a", "i": "b"})


async def test_a_pointer_is_escaped_as_rfc_6901_has_it(operation) -> None:
    extension = {"x-trivium-tenancy": {"bound": "body", "account": ["/a~1b~0c"]}}
    policy = require_own_body(operation(audience="public", body_media=("application/json",), extensions=extension))
    assert policy is not None

    assert await _passes(policy, frozenset({"x"}), {"a/b~c": "x"})


@given(
    accounts=st.frozensets(st.sampled_from(["s/1", "s/2", "t/1"])),
    asked=st.tuples(st.sampled_from("stu"), st.sampled_from("123")),
)
def test_nobody_ever_reaches_an_account_that_is_not_theirs(accounts: frozenset[str], asked: tuple[str, str]) -> None:
    policy = require_own_body(_operation({"bound": "body", "account": ["/c", "/i"]}))

    passed = asyncio.run(_passes(policy, accounts, dict(zip("ci", asked, strict=True))))
    assert passed == ("/".join(asked) in accounts)


async def test_a_partner_that_is_suspended_is_out_at_the_next_call(opened, standings) -> None:
    house = opened(tenant(bound="filtered"))
    before = await house.ask("GET", f"{ORDERS}/o1")
    standings["acme"] = PartnerStanding(False, frozenset({MINE}), 1500)
    during = await house.ask("GET", f"{ORDERS}/o1")
    standings["acme"] = PartnerStanding(True, frozenset({MINE}), 2000)
    old = await house.ask("GET", f"{ORDERS}/o1")
    house.caller = replace(ACME, issued_at=2001)
    new = await house.ask("GET", f"{ORDERS}/o1")

    assert [answer.status for answer in (before, during, old, new)] == [200, 401, 401, 200]
    assert during.headers["www-authenticate"].startswith('Bearer error="invalid_token"')


async def test_accounts_that_a_partner_lost_are_lost_to_every_token(opened, standings) -> None:
    house = opened(by_path, replace(ACME, accounts=frozenset({MINE, OTHER}), issued_at=9000))
    standings["acme"] = PartnerStanding(True, frozenset({OTHER, "salesforce/001C"}), 8000)
    answers = [await house.ask("GET", f"{ORDERS}/salesforce/{id}") for id in ("001A", "001B", "001C")]

    assert [answer.status for answer in answers] == [404, 200, 404]
    assert house.echo.scopes[0]["trivium.caller"].accounts == {OTHER}


@pytest.mark.parametrize(("known", "seen"), [(True, {MINE}), (False, set())])
async def test_whoever_names_a_partner_and_no_accounts_has_that_partner_s(opened, standings, known, seen) -> None:
    if known:
        standings["acme"] = PartnerStanding(True, frozenset({MINE}), 0)
    house = opened(tenant(bound="filtered"), replace(ACME, accounts=None))
    await house.ask("GET", f"{ORDERS}/o1")

    assert house.echo.scopes[0]["trivium.caller"].accounts == seen


async def test_a_partner_s_restriction_holds_without_its_being_known_here(opened) -> None:
    house = opened(by_path)

    assert (await house.ask("GET", f"{ORDERS}/salesforce/001A")).status == 200
    assert (await house.ask("GET", f"{ORDERS}/salesforce/001B")).status == 404


@pytest.mark.parametrize(
    ("tenancy", "why"),
    [
        ({"bound": "sideways"}, "`bound` is one of path, body, query, filtered, none"),
        ({"account": ["id"]}, "`bound` is one of"),
        ("filtered", "`bound` is one of"),
        ({"bound": "none"}, "needs a `reason`"),
        ({"bound": "none", "reason": " "}, "needs a `reason`"),
        ({"bound": "path"}, "needs `account`"),
        ({"bound": "path", "account": []}, "needs `account`"),
        ({"bound": "path", "account": ["nobody"]}, "it has no path parameter nobody"),
        ({"bound": "query", "account": ["nobody"]}, "it has no query parameter nobody"),
        ({"bound": "body", "account": ["/id"]}, "it takes no body"),
    ],
)
def test_a_bad_declaration_fails_the_start_in_words(build, contract, tenancy, why) -> None:
    def change(document: Any) -> None:
        document["paths"][f"{ORDERS}/{{order_id}}"]["get"]["x-trivium-tenancy"] = tenancy
        document["info"]["x-trivium-audience"] = "partner"

    with pytest.raises(BadContract, match=why) as refusal:
        build(contract(change))

    assert f"GET {ORDERS}/{{order_id}}" in str(refusal.value)


def test_a_pointer_that_is_none_fails_the_start(build, contract) -> None:
    def change(document: Any) -> None:
        document["paths"][ORDERS]["post"]["x-trivium-tenancy"] = {"bound": "body", "account": ["quote"]}
        document["info"]["x-trivium-audience"] = "partner"

    with pytest.raises(BadContract, match="not a JSON pointer"):
        build(contract(change))


async def test_who_is_not_restricted_pays_less_than_a_microsecond(operation) -> None:
    policy = require_tenancy({})(operation(audience="partner", extensions={"x-trivium-tenancy": {"bound": "filtered"}}))
    assert policy is not None
    call = Call({"headers": [], "type": "http"}, _receive, _send, operation(), {}, "c", CALLER)

    async def spent(times: int = 20_000) -> float:
        begun = perf_counter_ns()
        for _ in range(times):
            await policy(call, _end)
        through = perf_counter_ns() - begun
        begun = perf_counter_ns()
        for _ in range(times):
            await _end(call)
        return (through - (perf_counter_ns() - begun)) / times

    assert min([await spent() for _ in range(5)]) < 1000


def _operation(tenancy: Any) -> Any:
    return replace(
        _ASIDE, public=False, audience="partner", body_media=("application/json",), extensions={"x-trivium-tenancy": tenancy}
    )


async def _passes(policy: Any, accounts: frozenset[str], body: Any) -> bool:
    call = Call({"headers": [], "type": "http"}, _receive, _send, _operation({"bound": "filtered"}), {}, "c")
    call.caller, call.body = replace(CALLER, accounts=accounts), json.dumps(body).encode()
    try:
        await policy(call, _end)
    except NotFound:
        return False
    return True


def _without_ids(problem: dict[str, Any]) -> str:
    return json.dumps({name: said for name, said in problem.items() if name not in ("correlation_id", "instance")})


async def _end(call: Call) -> None:
    """Nothing: what comes after the policy."""


async def _receive() -> Any:
    raise AssertionError("nothing is received")


async def _send(message: Any) -> None:
    raise AssertionError("nothing is sent")
