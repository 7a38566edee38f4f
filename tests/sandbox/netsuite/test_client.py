"""The PyPI client `netsuite` works against the imitation; only the address differs."""

from typing import Any

import pytest
from netsuite import Config, NetSuiteRestApi, TokenAuth
from netsuite.exceptions import NetsuiteAPIRequestError

from sandbox.netsuite.account import ACCOUNT, CONSUMER_KEY, CONSUMER_SECRET, TOKEN_ID, TOKEN_SECRET
from tests.sandbox.netsuite.driving import Account, line, order

# The library signs through a function that oauthlib 4 announces as deprecated, and sends bodies as httpx 0.28 advises against.
pytestmark = [
    pytest.mark.filterwarnings("ignore:use sign_hmac_sha256_with_client:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:Use 'content=<...>':DeprecationWarning"),
]

CONFIG = Config(
    account=ACCOUNT,
    auth=TokenAuth(consumer_key=CONSUMER_KEY, consumer_secret=CONSUMER_SECRET, token_id=TOKEN_ID, token_secret=TOKEN_SECRET),
)


class LocalRestApi(NetSuiteRestApi):
    """The library builds https://{account}.suitetalk... in `_make_url`; this is its own hook for another address."""

    def __init__(self, root: str) -> None:
        super().__init__(CONFIG)
        self.root = root

    def _make_url(self, subpath: str) -> str:
        return f"{self.root}{subpath}"


@pytest.fixture
def api(account: Account) -> LocalRestApi:
    return LocalRestApi(account.root)


async def test_reads_a_customer_by_external_id(api: LocalRestApi) -> None:
    customer = await api.get("/record/v1/customer/eid:ACC-1003")

    assert customer["companyName"] == "Harbor Freightways"
    assert customer["balance"] == 1200.00


async def test_the_library_s_own_url_argument_reaches_the_imitation_too(account: Account) -> None:
    plain = NetSuiteRestApi(CONFIG)

    found = await plain.get("ignored", url=f"{account.root}/record/v1/term/2")

    assert found["name"] == "Net 30"


async def test_creates_changes_and_deletes_an_order(api: LocalRestApi, account: Account) -> None:
    customer = await api.get("/record/v1/customer/eid:ACC-1003", params={"fields": "entityId"})
    body = order(customer["id"], line("PLAT-ANNUAL", 2), externalId="ORD-1", orderStatus={"id": "B"})

    created = await api.post("/record/v1/salesOrder", json=body)
    changed = await api.patch("/record/v1/salesOrder/eid:ORD-1", json={"memo": "changed"})
    found = await api.get("/record/v1/salesOrder/eid:ORD-1", params={"expandSubResources": "true"})
    await api.delete("/record/v1/salesOrder/eid:ORD-1")

    assert (created, changed) == (None, None)
    assert found["memo"] == "changed"
    assert found["item"]["items"][0]["amount"] == 2400.00
    assert account.records("salesOrder") == []


async def test_an_upsert_by_external_id_makes_one_record(api: LocalRestApi, account: Account) -> None:
    body = {"companyName": "Northwind Devices Inc", "subsidiary": {"id": "1"}}

    await api.put("/record/v1/customer/eid:ACC-1001", json=body)
    await api.put("/record/v1/customer/eid:ACC-1001", json={**body, "email": "ap@northwind.example"})

    made = [one for one in account.records("customer") if one["externalId"] == "ACC-1001"]
    assert [one["email"] for one in made] == ["ap@northwind.example"]


async def test_suiteql_pages_through_all_customers(api: LocalRestApi) -> None:
    seen: list[dict[str, Any]] = []
    more = True
    while more:
        page = await api.suiteql("SELECT id, externalid FROM customer ORDER BY id", limit=2, offset=len(seen))
        seen += page["items"]
        more = page["hasMore"]

    assert [one["externalid"] for one in seen] == ["ACC-1003", "ACC-1004", "ACC-1005", "ACC-1007"]


async def test_a_refusal_reaches_the_caller_with_netsuite_s_body(api: LocalRestApi) -> None:
    with pytest.raises(NetsuiteAPIRequestError) as caught:
        await api.get("/record/v1/customer/eid:nobody")

    assert caught.value.status_code == 404
    assert "NONEXISTENT_ID" in caught.value.response_text


async def test_the_client_asks_for_strict_names_so_an_unknown_field_is_refused(api: LocalRestApi) -> None:
    with pytest.raises(NetsuiteAPIRequestError) as caught:
        await api.patch("/record/v1/customer/eid:ACC-1003", json={"shoeSize": 46})

    assert "shoeSize" in caught.value.response_text


async def test_the_metadata_describes_each_record(api: LocalRestApi) -> None:
    schema = await api.jsonschema("salesorder")
    document = await api.openapi(["customer", "invoice"])

    assert schema["properties"]["orderStatus"]["properties"]["id"]["enum"][1] == "B"
    assert set(document["components"]["schemas"]) == {"customer", "invoice"}


async def test_wrong_secrets_are_refused(account: Account) -> None:
    auth = TokenAuth(consumer_key=CONSUMER_KEY, consumer_secret="wrong", token_id=TOKEN_ID, token_secret=TOKEN_SECRET)
    stranger = NetSuiteRestApi(Config(account=ACCOUNT, auth=auth))

    with pytest.raises(NetsuiteAPIRequestError) as caught:
        await stranger.get("ignored", url=f"{account.root}/record/v1/term/2")

    assert caught.value.status_code == 401
    assert "INVALID_LOGIN" in caught.value.response_text
