"""What surrounds every answer: authentication, forms, errors, versions, paging and expansion, as httpx and the SDK see it."""

from base64 import b64encode
from decimal import Decimal
from typing import Any

import httpx
import pytest
import stripe as sdk

from sandbox.stripe.account import VERSION
from sandbox.stripe.wire import encode


def bare(sandbox: Any, authorization: str | None) -> httpx.Response:
    headers = {"Authorization": authorization} if authorization else {}
    return httpx.get(f"{sandbox.url}/v1/customers", headers=headers, trust_env=False)


@pytest.mark.parametrize(
    "authorization",
    [
        "Bearer sk_test_sandbox",
        "Bearer rk_test_sandbox",
        "Basic " + b64encode(b"sk_test_sandbox:").decode(),
        "Basic " + b64encode(b"rk_test_sandbox:").decode(),
    ],
)
def test_secret_and_restricted_keys_get_in_by_bearer_and_basic(sandbox: Any, authorization: str) -> None:
    assert bare(sandbox, authorization).status_code == 200


@pytest.mark.parametrize(
    ("authorization", "code", "message"),
    [
        (None, None, "You did not provide an API key"),
        ("Digest x", None, "You did not provide an API key"),
        ("Basic !!!", None, "You did not provide an API key"),
        ("Bearer pk_test_sandbox", "secret_key_required", "publishable"),
        ("Bearer sk_test_expired", "api_key_expired", "Expired API Key provided: sk_test_***ired"),
        ("Bearer sk_test_nobody_knows", None, "Invalid API Key provided: sk_test_********nows"),
    ],
)
def test_other_keys_are_refused_in_the_vendors_form(sandbox: Any, authorization: str, code: str, message: str) -> None:
    answer = bare(sandbox, authorization)
    error = answer.json()["error"]

    assert (answer.status_code, error["type"], error.get("code")) == (401, "invalid_request_error", code)
    assert message in error["message"]
    assert answer.headers["www-authenticate"].startswith("Basic")


def test_the_sdk_raises_its_own_authentication_error(sandbox: Any) -> None:
    with pytest.raises(sdk.AuthenticationError):
        sandbox.client("sk_test_wrong").v1.customers.list()


def test_every_answer_names_its_request_and_echoes_version_and_key(sandbox: Any) -> None:
    plain = sandbox.get("/v1/customers")
    keyed = sandbox.post("/v1/customers", key="k-1", **{"Stripe-Version": "2026-09-30.endive"})
    failed = sandbox.get("/v1/customers/cus_none")

    assert plain.headers["stripe-version"] == VERSION == "2026-10-28.endive"
    assert keyed.headers["stripe-version"] == "2026-09-30.endive"
    assert keyed.headers["idempotency-key"] == "k-1"
    assert len({r.headers["request-id"] for r in (plain, keyed, failed)}) == 3
    assert failed.headers["request-id"] in failed.json()["error"]["request_log_url"]


def test_a_version_that_is_none_is_refused(sandbox: Any) -> None:
    answer = sandbox.post("/v1/customers", **{"Stripe-Version": "yesterday"})

    assert answer.status_code == 400
    assert "Invalid Stripe API version" in answer.json()["error"]["message"]


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/v1/nothing"), ("GET", "/v1/customers/"), ("PUT", "/v1/customers/x"), ("GET", "/"), ("POST", "/v1/events")],
)
def test_unknown_urls_and_methods_are_the_vendors_404(sandbox: Any, method: str, path: str) -> None:
    answer = sandbox.http.request(method, path)

    assert answer.status_code == 404
    assert f"Unrecognized request URL ({method}: {path})" in answer.json()["error"]["message"]


@pytest.mark.parametrize(
    ("data", "code", "param"),
    [
        ({"colour": "red"}, "parameter_unknown", "colour"),
        ({"address[planet]": "x"}, "parameter_unknown", "address[planet]"),
        ({"balance": "much"}, "parameter_invalid_integer", "balance"),
        ({"balance": "1.5"}, "parameter_invalid_integer", "balance"),
        ({"shipping[name]": "x"}, "parameter_missing", "shipping[address]"),
        ({"tax_exempt": "maybe"}, None, "tax_exempt"),
        ({"email": "nobody"}, "email_invalid", "email"),
        ({"name": "x" * 257}, None, "name"),
        ({"name": "x", "name[a]": "y"}, None, "name[a]"),
        ({"name": "a\0b"}, "invalid_characters", "name"),
        ({"preferred_locales": "de"}, None, "preferred_locales"),
        ({"preferred_locales[x]": "de"}, None, "preferred_locales"),
        ({"a" + "[b]" * 9: "x"}, None, "a" + "[b]" * 9),
        ({"a[": "x"}, None, "a["),
    ],
)
def test_bad_parameters_are_refused_by_name(sandbox: Any, data: dict[str, str], code: str, param: str) -> None:
    answer = sandbox.post("/v1/customers", data)
    error = answer.json()["error"]

    assert (answer.status_code, error["type"]) == (400, "invalid_request_error")
    assert (error.get("code"), error["param"]) == (code, param)
    assert len(sandbox.records("customer")) == 4


def test_a_missing_parameter_is_named(stripe: Any) -> None:
    with pytest.raises(sdk.InvalidRequestError) as refused:
        stripe.v1.subscriptions.create(params={"items": []})

    assert (refused.value.code, refused.value.param) == ("parameter_missing", "customer")


def test_bodies_of_excessive_size_or_another_type_are_refused(sandbox: Any) -> None:
    large = sandbox.post("/v1/customers", {"description": "x" * (1024 * 1024 + 1)})
    many = sandbox.post("/v1/customers", {f"metadata[k{n}]": "v" for n in range(2001)})
    json = sandbox.http.post("/v1/customers", json={"name": "x"})
    garbled = sandbox.http.post(
        "/v1/customers", content=b"name=%FF", headers={"Content-Type": "application/x-www-form-urlencoded"}
    )

    assert [r.status_code for r in (large, many, json, garbled)] == [413, 400, 400, 400]
    assert all(r.json()["error"]["type"] == "invalid_request_error" for r in (large, many, json, garbled))


def test_arrays_come_indexed_or_empty_bracketed_and_query_brackets_may_be_encoded(sandbox: Any) -> None:
    content = "name=K%C3%B6ln&preferred_locales[]=de&preferred_locales[]=en"
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    bracketed = sandbox.http.post("/v1/customers", content=content, headers=headers)
    indexed = sandbox.post("/v1/customers", {"preferred_locales[1]": "en", "preferred_locales[0]": "de"})
    encoded = sandbox.get("/v1/prices?lookup_keys%5B0%5D=PLAT-ANNUAL%2Fusd&lookup_keys%5B1%5D=PLAT-ANNUAL%2Feur")

    assert bracketed.json()["preferred_locales"] == indexed.json()["preferred_locales"] == ["de", "en"]
    assert bracketed.json()["name"] == "Köln"
    assert [p["currency"] for p in encoded.json()["data"]] == ["eur", "usd"]


def test_empty_brackets_before_a_field_make_one_element_per_repetition(sandbox: Any) -> None:
    customer = sandbox.records("customer")[0]["id"]
    price, usage = sandbox.price("PLAT-ANNUAL/usd"), sandbox.price("API-USAGE/usd")
    content = (
        f"customer={customer}&collection_method=send_invoice&days_until_due=30"
        f"&items[][price]={price}&items[][quantity]=3&items[][price]={usage}"
    )
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    items = sandbox.http.post("/v1/subscriptions", content=content, headers=headers).json()["items"]["data"]

    assert [(i["price"]["id"], i.get("quantity")) for i in items] == [(price, 3), (usage, None)]


def test_lists_are_newest_first_and_pages_join_without_gap_or_overlap(stripe: Any) -> None:
    made = [stripe.v1.customers.create(params={"name": f"c{n}"}).id for n in range(25)]
    walked = [c.id for c in stripe.v1.customers.list(params={"limit": 7}).auto_paging_iter()]

    assert walked[:25] == made[::-1]
    assert len(walked) == len(set(walked)) == 29


def test_ending_before_walks_back(stripe: Any) -> None:
    made = [stripe.v1.customers.create(params={"name": f"c{n}"}).id for n in range(6)]
    page = stripe.v1.customers.list(params={"limit": 2, "ending_before": made[1]})
    last = stripe.v1.customers.list(params={"limit": 10, "ending_before": made[1]})

    assert [c.id for c in page.data] == [made[3], made[2]]
    assert page.has_more
    assert [c.id for c in last.data] == made[:1:-1]
    assert not last.has_more


@pytest.mark.parametrize(
    ("query", "param"),
    [
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("limit=ten", "limit"),
        ("starting_after=cus_none", "starting_after"),
        ("created[since]=1", "created[since]"),
        ("starting_after=a&ending_before=b", "ending_before"),
    ],
)
def test_bad_paging_is_refused(sandbox: Any, query: str, param: str) -> None:
    answer = sandbox.get(f"/v1/customers?{query}")

    assert (answer.status_code, answer.json()["error"]["param"]) == (400, param)


def test_created_bounds_choose_a_range(sandbox: Any) -> None:
    stripe = sandbox.client()
    sandbox.clock.ahead = 1000.0
    late = stripe.v1.customers.create(params={"name": "late"})
    since = stripe.v1.customers.list(params={"created": {"gte": late.created}})
    before = stripe.v1.customers.list(params={"created": {"lt": late.created}})
    exactly = stripe.v1.customers.list(params={"created": late.created})

    assert [c.id for c in since.data] == [c.id for c in exactly.data] == [late.id]
    assert len(before.data) == 4


def test_expansion_puts_objects_where_ids_stood_and_leaves_the_stored_ones_alone(sandbox: Any) -> None:
    price = sandbox.price("PLAT-ANNUAL/usd")
    expanded = sandbox.get(f"/v1/prices/{price}?expand[]=product").json()
    listed = sandbox.get("/v1/prices?expand[]=data.product&limit=1").json()
    plain = sandbox.get(f"/v1/prices/{price}").json()

    assert expanded["product"]["object"] == listed["data"][0]["product"]["object"] == "product"
    assert plain["product"] == "PLAT-ANNUAL"


@pytest.mark.parametrize("path", ["name", "data.product", "nothing", "product.name", "customer", "a.b.c.d.e.product"])
def test_what_cannot_be_expanded_is_refused(sandbox: Any, path: str) -> None:
    answer = sandbox.get(f"/v1/prices/{sandbox.price('PLAT-ANNUAL/usd')}?expand[]={path}")

    assert answer.status_code == 400
    assert "expand" in answer.json()["error"]["message"]


def test_a_creation_with_an_impossible_expansion_creates_nothing(sandbox: Any) -> None:
    answer = sandbox.post("/v1/customers", {"name": "x", "expand[]": "nonsense"})

    assert answer.status_code == 400
    assert len(sandbox.records("customer")) == 4


def test_decimals_are_written_digit_for_digit_as_numbers(sandbox: Any) -> None:
    listed = sandbox.get("/v1/tax_rates").text

    assert '"percentage":7.25,' in listed
    assert '"percentage":19,' in listed
    assert encode({"a": Decimal("0.1000000000000000000000001")}) == b'{"a":0.1000000000000000000000001}'


def test_ids_are_the_same_after_every_reset(sandbox: Any) -> None:
    before = [sandbox.records("customer"), sandbox.post("/v1/customers").json()["id"]]
    sandbox.http.post("/__sandbox__/reset")
    after = [sandbox.records("customer"), sandbox.post("/v1/customers").json()["id"]]

    assert [c["id"] for c in before[0]] == [c["id"] for c in after[0]]
    assert before[1] == after[1]


@pytest.mark.parametrize("id", ["{id}%3Fx", "{id}%23x", "..%2F{id}", "{id}%00"])
def test_an_id_is_taken_whole(sandbox: Any, id: str) -> None:
    known = sandbox.records("customer")[0]["id"]

    assert sandbox.get(f"/v1/customers/{id.format(id=known)}").status_code == 404


def test_an_answer_that_cannot_be_expanded_is_remembered_as_the_work_is_done(sandbox: Any) -> None:
    data = {"name": "Acme", "expand[]": "latest_invoice"}
    first, second = sandbox.post("/v1/customers", data, key="op-1"), sandbox.post("/v1/customers", data, key="op-1")

    assert (first.status_code, second.headers["idempotent-replayed"]) == (400, "true")
    assert len(sandbox.records("customer")) == 5


def test_final_refusals_say_that_asking_again_is_useless(sandbox: Any) -> None:
    sandbox.fault("rate_limited", path="/v1/products")

    assert sandbox.get("/v1/customers/none").headers["stripe-should-retry"] == "false"
    assert "stripe-should-retry" not in sandbox.get("/v1/products").headers
