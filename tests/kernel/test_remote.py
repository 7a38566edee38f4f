"""A port in another process is called with the scopes of the operation, and no more."""

from collections.abc import Mapping
from typing import Protocol

import httpx
import pytest

from kernel.remote import remote

DOCUMENT = {
    "paths": {
        "/orders/{id}": {
            "get": {
                "operationId": "show", "parameters": [{"name": "id", "in": "path"}], "security": [{"oauth2": ["orders:read"]}],
            },
        },
        "/orders": {"get": {"operationId": "count", "security": []}},
    }
}  # fmt: skip


class Orders(Protocol):
    async def show(self, id: str) -> int: ...

    async def count(self) -> int: ...


@pytest.fixture
def asked() -> list[frozenset[str]]:
    return []


async def test_each_operation_asks_for_its_own_scopes(asked) -> None:
    sent: list[httpx.Request] = []

    async def headers(scopes: frozenset[str]) -> Mapping[str, str]:
        asked.append(scopes)
        return {"Authorization": f"Bearer for {' '.join(scopes) or 'nothing'}"}

    def answer(request: httpx.Request) -> httpx.Response:
        sent.append(request)
        return httpx.Response(200, json=7)

    async with httpx.AsyncClient(transport=httpx.MockTransport(answer), base_url="http://inner") as http:
        orders = remote(Orders, DOCUMENT, http, headers, system="orders", fixed={})
        found = [await orders.show("1"), await orders.count()]

    assert found == [7, 7]
    assert asked == [frozenset({"orders:read"}), frozenset()]
    assert [request.headers["authorization"] for request in sent] == ["Bearer for orders:read", "Bearer for nothing"]
