from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs

import httpx
import pytest

from contracts.models.catalog import ChargeKind
from contracts.models.money import Money
from contracts.models.party import CustomerStatusChange
from contracts.models.subscription import NewSubscription, SubscriptionLine
from contracts.ports.effects import Safety
from contracts.ports.system import Billing
from kernel.context import correlation_id
from kernel.problem import Conflict, NotFound, OutcomeUnknown, Refused
from kernel.settings import BadSettings, Connection
from system_apis.connector import Connector, Secrets
from system_apis.connectors.stripe import connect
from tests.conformance.calls import new_customer, new_subscription
from tests.conformance.platform import BillingFacts
from tests.conformance.platforms.stripe import facts as facts_of
from tests.conformance.sandboxed import Sandbox

KEY = {"Authorization": "Bearer sk_test_sandbox"}


@pytest.fixture
def billing(connector: Connector) -> Any:
    return connector.ports[Billing]


@pytest.fixture
def facts(sandbox: Sandbox) -> Any:
    return facts_of(sandbox)[Billing]


Directly = Callable[..., dict[str, Any]]


@pytest.fixture
def directly(sandbox: Sandbox) -> Iterator[Directly]:
    """What somebody else does in the same Stripe account: (path, form, method) -> the answer."""
    with httpx.Client(base_url=sandbox.url, headers=KEY, trust_env=False) as http:

        def does(path: str, data: dict[str, str] | None = None, method: str = "POST") -> dict[str, Any]:
            answer: dict[str, Any] = http.request(method, path, data=data).raise_for_status().json()
            return answer

        yield does


async def test_creates_may_be_repeated_under_their_key_and_looked_up_without_waiting(connector: Connector) -> None:
    for capability in connector.capabilities.values():
        assert (capability.safety, capability.remembers_failures, capability.look_up_lag) == (Safety.KEYED, True, 0)


async def test_a_customer_is_found_before_the_search_index_knows_it(
    billing: Billing, facts: BillingFacts, sandbox: Sandbox
) -> None:
    made = await billing.create_customer(new_customer(facts), "key-00001")
    before = len(sandbox.requests())

    assert await billing.find_customer(made.key or "") == made
    assert [one["path"] for one in sandbox.requests()[before:]] == ["/v1/customers/search", "/v1/customers"]


async def test_a_customer_in_the_index_costs_one_request(billing: Billing, facts: BillingFacts, sandbox: Sandbox) -> None:
    assert await billing.find_customer(facts.customer_key)
    assert [one["path"] for one in sandbox.requests()] == ["/v1/customers/search"]


async def test_a_young_customer_is_found_behind_a_hundred_others(
    billing: Billing, facts: BillingFacts, directly: Directly
) -> None:
    made = await billing.create_customer(new_customer(facts), "key-00001")
    for n in range(101):
        directly("/v1/customers", {"name": f"Crowd {n}"})

    assert await billing.find_customer(made.key or "") == made


async def test_only_customers_younger_than_the_lag_are_listed(to_sandbox: Connection, sandbox: Sandbox) -> None:
    class Noon:
        def now(self) -> datetime:
            return datetime(2026, 11, 20, 12, tzinfo=UTC)

        def monotonic(self) -> float:
            return 0

    settings = to_sandbox.model_copy(update={"options": {"search_lag_seconds": 60}})
    connector = connect(settings, Secrets(settings), Noon())
    try:
        await connector.ports[Billing].find_customer("ACC-0000")
    finally:
        await connector.close()
    since = int(parse_qs(sandbox.requests()[-1]["query"])["created[gte]"][0])

    assert datetime.fromtimestamp(since, UTC) == Noon().now() - timedelta(seconds=60) - timedelta(minutes=5)


async def test_two_customers_under_one_key_are_a_conflict_that_names_them(
    billing: Billing, facts: BillingFacts, directly: Directly
) -> None:
    made = [directly("/v1/customers", {"name": "Twin", "metadata[external_id]": "ACC-TWIN"})["id"] for _ in range(2)]

    with pytest.raises(Conflict) as conflict:
        await billing.find_customer("ACC-TWIN")

    assert all(id in conflict.value.detail for id in made)
    assert conflict.value.fix


async def test_a_deleted_customer_is_gone(billing: Billing, facts: BillingFacts, directly: Directly) -> None:
    made = await billing.create_customer(new_customer(facts), "key-00001")
    directly(f"/v1/customers/{made.reference.id}", method="DELETE")

    with pytest.raises(NotFound, match="deleted"):
        await billing.get_customer(made.reference.id)
    assert await billing.find_customer(made.key or "") is None


async def test_a_key_with_quotes_asks_for_itself_alone(billing: Billing, sandbox: Sandbox) -> None:
    assert await billing.find_customer("x' OR created>0 OR name:'y\\") is None
    asked = sandbox.requests()[0]

    assert parse_qs(asked["query"])["query"] == [r"metadata['external_id']:'x\' OR created>0 OR name:\'y\\'"]
    assert asked["status"] == 200


async def test_blocking_leaves_the_other_metadata_alone(billing: Billing, facts: BillingFacts, sandbox: Sandbox) -> None:
    made = await billing.create_customer(new_customer(facts), "key-00001")

    for status in ("blocked", "active"):
        await billing.set_customer_status(made.reference.id, CustomerStatusChange(status=status))
    stored = next(one for one in sandbox.records("customer") if one["id"] == made.reference.id)

    assert stored["metadata"] == {"external_id": made.key, "currency": "USD", "legal_entity": "US01"}


async def test_prices_are_asked_for_ten_keys_at_a_time(billing: Billing, sandbox: Sandbox) -> None:
    await billing.list_prices([f"absent-{n}" for n in range(23)])
    queries = [parse_qs(one["query"]) for one in sandbox.requests()]

    assert [sum(name.startswith("lookup_keys[") for name in one) for one in queries] == [10, 10, 3]


async def test_a_price_that_was_switched_off_cannot_be_sold(billing: Billing, facts: BillingFacts, directly: Directly) -> None:
    key, _ = facts.prices[ChargeKind.ANNUAL]
    (price,) = (await billing.list_prices([key])).items
    directly(f"/v1/prices/{price.id}", {"active": "false"})

    assert (await billing.list_prices([key])).items == []


async def test_the_correlation_id_is_kept_with_what_was_created(billing: Billing, facts: BillingFacts, sandbox: Sandbox) -> None:
    token = correlation_id.set("corr-7")
    try:
        await billing.create_customer(new_customer(facts), "key-00001")
        await billing.create_subscription(await new_subscription(billing, facts), "key-00002")
    finally:
        correlation_id.reset(token)

    assert sandbox.records("customer")[-1]["metadata"]["correlation_id"] == "corr-7"
    assert sandbox.records("subscription")[-1]["metadata"]["correlation_id"] == "corr-7"


async def test_the_parts_of_a_bundle_are_charged_to_the_cent(
    to_sandbox: Connection, facts: BillingFacts, sandbox: Sandbox
) -> None:
    untaxed = to_sandbox.model_copy(update={"options": {"automatic_tax": False}})
    connector = connect(untaxed, Secrets(untaxed))
    billing: Billing = connector.ports[Billing]
    plain = await new_subscription(billing, facts)
    amounts = {ChargeKind.ANNUAL: "1085.11", ChargeKind.SERVICE: "1414.89"}
    lines = [one.model_copy(update={"amount": Money.of(amounts[one.kind], "USD")}) for one in plain.lines if one.kind in amounts]
    try:
        await billing.create_subscription(plain.model_copy(update={"lines": lines}), "key-00001")
        invoices = await billing.list_invoices(plain.customer.id)
    finally:
        await connector.close()

    assert invoices.items[0].total == Money.of("2500.00", "USD")


async def test_a_stored_failure_comes_back_under_its_key_and_another_key_gets_through(
    billing: Billing, facts: BillingFacts, sandbox: Sandbox
) -> None:
    sandbox.fault("server_error", method="POST")
    for _ in range(2):
        with pytest.raises(OutcomeUnknown):
            await billing.create_customer(new_customer(facts), "key-00001")

    assert (await billing.create_customer(new_customer(facts), "key-00002")).key == "ACC-7001"


async def test_a_key_spent_on_other_data_is_in_doubt_so_that_it_is_looked_up(billing: Billing, facts: BillingFacts) -> None:
    await billing.create_customer(new_customer(facts), "key-00001")

    with pytest.raises(OutcomeUnknown, match="same parameters"):
        await billing.create_customer(new_customer(facts, "ACC-7002"), "key-00001")


async def test_a_subscription_cancelled_before_does_not_hide_a_living_one_under_its_key(
    billing: Billing, facts: BillingFacts
) -> None:
    order = await new_subscription(billing, facts)
    first = await billing.create_subscription(order, "key-00001")
    await billing.cancel_subscription(first.reference.id)
    second = await billing.create_subscription(order, "key-00002")

    assert await billing.find_subscription(order.customer.id, order.key) == second


async def test_two_living_subscriptions_under_one_key_are_a_conflict(billing: Billing, facts: BillingFacts) -> None:
    order = await new_subscription(billing, facts)
    for key in ("key-00001", "key-00002"):
        await billing.create_subscription(order, key)

    with pytest.raises(Conflict, match="external_ref"):
        await billing.find_subscription(order.customer.id, order.key)


async def test_stripe_names_the_parameter_at_fault(billing: Billing, facts: BillingFacts) -> None:
    order = await new_subscription(billing, facts)
    wrong = [SubscriptionLine(line="L1", sku="X", price="price_none", kind=ChargeKind.ANNUAL, quantity=1)]

    with pytest.raises(Refused) as refusal:
        await billing.create_subscription(NewSubscription(**{**dict(order), "lines": wrong}), "key-00001")

    assert refusal.value.field == "items[0][price]"
    assert refusal.value.detail == "Stripe: No such price: 'price_none'"


@pytest.mark.parametrize(
    "options", [{"search_lag": 60}, {"search_lag_seconds": -1}, {"search_lag_seconds": "60"}, {"automatic_tax": 1}]
)
def test_an_option_that_is_none_is_refused_at_start(to_sandbox: Connection, options: dict[str, Any]) -> None:
    settings = to_sandbox.model_copy(update={"options": options})

    with pytest.raises(BadSettings, match=r"'stripe-us': options\."):
        connect(settings, Secrets(settings))
