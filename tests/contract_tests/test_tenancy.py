"""Every operation of every contract, asked by a partner: its own is shown, another's is not there, the rest is closed."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest
import pytest_asyncio
from prometheus_client import CollectorRegistry

from contracts.models.partner import NewPartner
from gateway.contracts import load
from gateway.direct import Direct
from gateway.dispatch import Dispatch, InProcess, Target
from gateway.door import Door
from gateway.limits.limiter import Limiter
from gateway.oauth.access_token import Bearer
from gateway.oauth.server import AuthorizationServer, open_server
from gateway.observe import AccessLog, Metrics
from gateway.partners.store import PartnerStore
from gateway.policies import Means, policies
from gateway.policies.authenticate import authenticate
from gateway.policies.trace import Observation
from kernel.db import Database
from tests.contract_tests.contract_files import ROOT, Promise, promises, sample, scopes
from tests.contract_tests.door import CORRELATION, URL, Entrance, Willing, refused
from tests.contract_tests.layers import layers
from tests.contract_tests.tenants import Ids, bound, closed, names_something, questions, request, tenancy, told
from tests.gateway.conftest import Answer, FakeClock, ask
from tests.process_apis.platforms.crm import account_id, quote_id

pytestmark = pytest.mark.asyncio(loop_scope="module")
NAMED, FILTERED = bound("path", "body", "query"), bound("filtered")
HOME = ("process/", "experience/")  # whose layers are run here; the gateway's own API is asked over HTTP (tests/journeys)
OBJECTS = [promise for promise in [*NAMED, *FILTERED] if names_something(promise) and promise.api.startswith(HOME)]
LISTS = [promise for promise in FILTERED if not names_something(promise) and promise.api.startswith(HOME)]
UNKNOWN = {
    "connection": "salesforce", "account_id": "0019999", "quote_id": "0Q09999", "order_id": "salesforce-0Q09999",
    "onboarding_id": "ACC-9999", "process/orders operation_id": "salesforce-0Q09999",
    "process/onboarding operation_id": "ACC-9999", "customer_key": "ACC-9999", "cursor": "salesforce-0Q09999",
}  # fmt: skip


def ids(account: str, quote: str, onboarded: str) -> dict[str, str]:
    """What a partner has: its account, its quote with the order made of it, and another account's onboarding."""
    order = f"salesforce-{quote_id(quote)}"
    return {
        "connection": "salesforce", "account_id": account_id(account), "quote_id": quote_id(quote), "order_id": order,
        "onboarding_id": onboarded, "process/orders operation_id": order, "process/onboarding operation_id": onboarded,
        "customer_key": account, "cursor": order,
    }  # fmt: skip


ACME, GLOBEX = ids("ACC-1003", "Q-1003", "ACC-1001"), ids("ACC-1007", "Q-1010", "ACC-1002")
ACCOUNTS = {"acme": ("ACC-1003", "ACC-1001"), "globex": ("ACC-1007", "ACC-1002")}


def each(found: list[Promise]) -> Any:
    return pytest.mark.parametrize("promise", found, ids=lambda promise: promise.id)


def partner_token(server: AuthorizationServer, *accounts: str) -> str:
    return server.tokens.sign("acme-portal", scopes(), Bearer(partner="acme", accounts=accounts))


def sampled_account(promise: Promise) -> str:
    """The account that the sample request of an operation names."""
    said = tenancy(promise) or {}
    if said["bound"] == "body":
        return "/".join(_at(promise.body, pointer) for pointer in said["account"])
    schemas = {parameter["name"]: parameter["schema"] for parameter in promise.parameters(said["bound"])}
    return "/".join(str(sample(schemas[name], promise.document)) for name in said["account"])


def _at(body: Any, pointer: str) -> str:
    for step in pointer[1:].split("/"):
        body = body[step]
    return str(body)


async def test_every_operation_is_judged() -> None:
    """Whoever adds an operation says how it is bound, or it is closed to partners; a new way of binding needs a test here."""
    judged = [*closed(), *NAMED, *FILTERED, *bound("none")]

    assert sorted(promise.id for promise in judged) == sorted(promise.id for promise in promises())
    assert {promise.api.partition("/")[0] for promise in promises()} - {p.api.partition("/")[0] for p in closed()} <= {
        "experience"
    }
    assert all(promise.api.partition("/")[0] != "system" for promise in [*NAMED, *FILTERED, *bound("none")])


@each(closed())
async def test_what_is_not_open_to_partners_is_refused_to_them(gate: Entrance, promise: Promise) -> None:
    before = gate.behind.reached
    problem = refused(await gate.ask(promise, token=partner_token(gate.server, "salesforce/sample")), 403, promise)

    assert problem["detail"] == "this operation is not open to partners"
    assert gate.behind.reached == before


@each(NAMED)
async def test_another_s_account_does_not_exist_at_the_door(gate: Entrance, promise: Promise) -> None:
    before = gate.behind.reached
    for account in ("salesforce/other", "hubspot/sample"):
        refused(await gate.ask(promise, token=partner_token(gate.server, account)), 404, promise)
    refused(await gate.ask(promise, token=partner_token(gate.server)), 404, promise)

    assert gate.behind.reached == before


@each(NAMED)
async def test_its_own_account_is_let_through(gate: Entrance, promise: Promise) -> None:
    assert (await gate.ask(promise, token=partner_token(gate.server, sampled_account(promise)))).status == 200


@each(FILTERED)
async def test_what_is_filtered_behind_the_door_is_let_through(gate: Entrance, promise: Promise) -> None:
    assert (await gate.ask(promise, token=partner_token(gate.server, "salesforce/sample"))).status == 200


@each([*NAMED, *FILTERED])
async def test_a_restricted_client_of_our_own_house_is_bound_alike(gate: Entrance, promise: Promise) -> None:
    token = gate.server.tokens.issue("our-own", scopes(), accounts=["salesforce/other"])

    assert (await gate.ask(promise, token=token)).status == (404 if promise in NAMED else 200)


@each([promise for promise in promises() if tenancy(promise) is not None])
async def test_the_contract_promises_the_404(promise: Promise) -> None:
    assert not names_something(promise) or promise.answer(404) is not None


@dataclass
class Estate:
    """The door before the real layers over a world in memory, with two partners in it who have both been busy."""

    door: Door
    server: AuthorizationServer
    behind: Willing
    secrets: dict[str, tuple[str, str]]

    async def token(self, partner: str) -> str:
        """As the token endpoint would make it, from what is kept of the client."""
        client = await self.server.clients.prove(*self.secrets[partner])
        assert client is not None
        bearer = Bearer(plan=client.plan, accounts=client.accounts, partner=client.details.partner)
        return self.server.tokens.sign(client.id, client.scopes, bearer)

    async def ask(self, partner: str, method: str, target: str, body: Any = None, key: str = "key-00000001") -> Answer:
        headers = {
            "authorization": f"Bearer {await self.token(partner)}",
            "x-correlation-id": CORRELATION,
            "idempotency-key": key,
        }
        content = () if body is None else (json.dumps(body).encode(),)
        if content:
            headers["content-type"] = "application/json"
        return await ask(self.door, method, target, headers, content)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def estate(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Estate]:
    folder, clock, behind = tmp_path_factory.mktemp("estate"), FakeClock(), Willing()
    async with layers(folder) as apis:
        database = Database(f"sqlite:///{folder / 'gateway.sqlite'}")
        await database.create_all()
        server = await open_server(database, public_url=URL, data=folder, clock=clock)
        metrics, operations = Metrics(CollectorRegistry()), load(ROOT)
        means = Means(
            Observation(metrics, AccessLog(lambda _: None)), authenticate(server.verifier), Limiter(clock=clock),
            partners=server.trust.partners,
        )  # fmt: skip
        targets: dict[str, Target] = {operation.api: InProcess(behind) for operation in operations}
        targets |= {name: Direct(api.app) for name, api in apis.items()}
        door = Door(operations, policies=policies(means), dispatch=Dispatch(targets))
        opened = Estate(door, server, behind, await _partners(PartnerStore(database, server.clients, clock, frozenset(scopes()))))
        await server.trust.start()
        await _busy(opened, "acme", ACME)
        await _busy(opened, "globex", GLOBEX)
        yield opened
        await server.close()
        await database.close()


async def _partners(store: PartnerStore) -> dict[str, tuple[str, str]]:
    made = {}
    for name, numbers in ACCOUNTS.items():
        accounts = [f"salesforce/{account_id(number)}" for number in numbers]
        await store.add(NewPartner(id=name, name=name, contact="somebody", accounts=accounts))
        client = await store.add_client(name, "portal", scopes())
        made[name] = (client.client_id, client.secret)
    return made


async def _busy(estate: Estate, partner: str, own: Ids) -> None:
    """It orders its quote, and begins to onboard its other account."""
    record = {"connection": "salesforce", "id": own["quote_id"]}
    ordered = await estate.ask(partner, "POST", "/process/orders/v1/orders", {"quote": record}, "key-order-1")
    account = {"connection": "salesforce", "id": account_id(own["onboarding_id"])}
    currency = "USD" if partner == "acme" else "EUR"
    terms = {"payment_days": 30, "credit_limit": {"amount": "5000.00", "currency": currency}}
    onboarded = await estate.ask(
        partner, "POST", "/process/onboarding/v1/onboardings", {"account": account, "terms": terms}, "key-onboard-1"
    )

    assert (ordered.status, onboarded.status) == (201, 202), (ordered.body, onboarded.body)
    assert (ordered.json()["id"], onboarded.json()["id"]) == (own["order_id"], own["onboarding_id"])


@each(OBJECTS)
async def test_another_s_object_is_told_like_one_that_does_not_exist(estate: Estate, promise: Promise) -> None:
    theirs, unknown = request(promise, GLOBEX), request(promise, UNKNOWN)
    answers = [await estate.ask("acme", one.method, one.target, one.body) for one in (theirs, unknown)]

    assert [answer.status for answer in answers] == [404, 404], answers[0].body
    assert told(answers[0].body.decode(), GLOBEX) == told(answers[1].body.decode(), UNKNOWN)
    assert _quiet(answers[0]) == _quiet(answers[1])


@each(OBJECTS)
async def test_its_own_object_is_there(estate: Estate, promise: Promise) -> None:
    """Or the matrix above would prove nothing."""
    own = request(promise, ACME)
    answer = await estate.ask("acme", own.method, own.target, own.body, f"key-own-{promise.said['operationId']}")

    assert answer.status < 500, answer.body
    assert answer.status not in (401, 403, 404), answer.body


@each(LISTS)
async def test_a_list_shows_nothing_of_another_whatever_is_asked(estate: Estate, promise: Promise) -> None:
    answers = {"plain": await estate.ask("acme", promise.method, promise.path)}
    for name, target in questions(promise, GLOBEX):
        answers[name] = await estate.ask("acme", promise.method, target)
        unknown = dict(questions(promise, UNKNOWN))[name]
        same = await estate.ask("acme", promise.method, unknown)
        assert (answers[name].status, answers[name].body) == (same.status, same.body), name

    assert {answer.status for answer in answers.values()} == {200}
    for secret in (GLOBEX["order_id"], GLOBEX["account_id"], GLOBEX["customer_key"], GLOBEX["quote_id"]):
        assert all(secret not in answer.body.decode() for answer in answers.values())
    assert ACME["order_id"] in answers["plain"].body.decode()


async def test_what_happened_to_the_other_is_nothing(estate: Estate) -> None:
    """After all of the above."""
    order = await estate.ask("globex", "GET", f"/process/orders/v1/orders/{GLOBEX['order_id']}")
    onboarding = await estate.ask("globex", "GET", f"/process/onboarding/v1/onboardings/{GLOBEX['onboarding_id']}")

    assert (order.json()["state"], onboarding.json()["state"]) == ("completed", "awaiting_credit_decision")


def _quiet(answer: Answer) -> dict[str, str]:
    """The headers, without what is another one in each answer anyway."""
    moving = ("x-request-id", "x-correlation-id", "content-length", "ratelimit")
    return {name: value for name, value in answer.headers.items() if name not in moving}
