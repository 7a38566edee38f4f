"""What our own consumers expect is promised and kept; an expectation that is not kept is seen to fail."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
import pytest_asyncio
import yaml
from starlette.types import Receive, Scope, Send

from governance.collection import collect
from governance.consumers import declared
from governance.consumers.expectations import FOLDER, Expectation, read
from governance.contract import Contract
from governance.publishing import lock
from tests.contract_tests.contract_files import ROOT
from tests.contract_tests.layers import layers
from tests.process_apis.platforms.crm import quote_id
from trivium.verifying import verify

GIVEN = {"quote": quote_id("Q-1001")}
FILES = sorted((ROOT.parent / FOLDER).glob("*.yaml"))


@pytest.fixture(scope="module")
def contracts() -> dict[str, Contract]:
    return {lock.key(one.api, one.version): one for one in collect(str(ROOT)).values()}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def provider(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[httpx.AsyncClient]:
    """The layers' own applications, over platforms in memory."""
    async with layers(tmp_path_factory.mktemp("layers")) as apis:
        apps = {api.prefix: api.app for api in apis.values()}

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            found = next(app for prefix, app in apps.items() if scope["path"].startswith(f"{prefix}/"))
            await found(scope, receive, send)

        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://provider.test") as client:
            yield client


def _expected() -> list[Expectation]:
    return [one for file in FILES for one in read(file)]


def test_what_applications_say_they_use_exists(contracts: dict[str, Contract]) -> None:
    applications = declared.read(ROOT.parent)
    used = {(api, use.operation) for one in applications for api, uses in one.uses.items() for use in uses}
    there = {(api, operation.id) for api, contract in contracts.items() for operation in contract.operations}

    assert used
    assert used <= there
    assert {one.application for one in _expected()} <= {one.name for one in applications}


@pytest.mark.asyncio(loop_scope="module")
async def test_what_our_consumers_expect_is_kept(provider: httpx.AsyncClient, contracts: dict[str, Contract]) -> None:
    expected = _expected()
    found = await verify(expected, contracts, provider, GIVEN)

    assert len(expected) >= 3
    assert [one.message for one in found] == []


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        ({"status": 404}, "404 was expected, 200 came"),
        ({"status": 200, "fields": {"validated_at": "integer"}}, "validated_at may be something else than integer"),
        ({"status": 200, "fields": {"decision": "string"}}, "decision is not promised"),
    ],
)
@pytest.mark.asyncio(loop_scope="module")
async def test_an_expectation_that_is_not_kept_fails(
    provider: httpx.AsyncClient, contracts: dict[str, Contract], tmp_path: Path, answer: object, why: str
) -> None:
    said = yaml.safe_load(FILES[0].read_text(encoding="utf-8"))
    said["expectations"] = [{**said["expectations"][0], "answer": answer}]
    (tmp_path / "v.yaml").write_text(yaml.safe_dump(said), encoding="utf-8")
    found = await verify(read(tmp_path / "v.yaml"), contracts, provider, GIVEN)

    assert any(why in one.message and one.level == "error" for one in found)


@pytest.mark.asyncio(loop_scope="module")
async def test_a_provider_that_breaks_its_promise_is_told_where_and_not_with_whose_data(contracts: dict[str, Contract]) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        body = b'{"verdict": 7, "quote": {"connection": "secret", "id": "secret"}, "checks": [{"name": "secret"}]}'
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/json")]})
        await send({"type": "http.response.body", "body": body})

    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://provider.test") as client:
        found = await verify(_expected()[:1], contracts, client, {})
    told = " ".join(one.message for one in found)

    assert {one.id for one in found} == {"expectation-unmet"}
    assert "/verdict: it is of another type" in told
    assert '"validated_at" is missing' in told
    assert "/checks/0" in told
    assert "secret" not in told
