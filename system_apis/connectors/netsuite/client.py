"""NetSuite's wire: one request each, names and values always validated by NetSuite, answered by objects or by a problem."""

import re
from collections.abc import Mapping

import httpx

from kernel import http
from kernel.clock import Clock
from kernel.context import correlation_id
from kernel.problem import BadPlatformAnswer, NotFound
from kernel.settings import Connection
from system_apis.connector import Secrets
from system_apis.connectors.netsuite.body import Body, decoded, encoded
from system_apis.connectors.netsuite.errors import problem
from system_apis.connectors.netsuite.tokens import Token, Tokens

ROOT = "/services/rest"
PAGE = 1000  # the most that SuiteQL answers at once
# Unless told so, NetSuite drops a field that it does not know, and only warns.
STRICT = {"X-NetSuite-PropertyNameValidation": "Error", "X-NetSuite-PropertyValueValidation": "Error"}
_EXPIRED = re.compile(r'error="?invalid_token')


class NetSuiteClient:
    """Speaks to one NetSuite account; paths are those below /services/rest."""

    def __init__(self, connection: Connection, secrets: Secrets, clock: Clock) -> None:
        self.system = connection.id
        self._http = http.client(
            connection.base_url, timeout=connection.patience.deadline, connections=connection.budget.concurrency
        )
        self._tokens = Tokens(connection, secrets, self._http, clock)

    async def get(self, path: str, query: Mapping[str, str]) -> Body:
        return self._body(await self._call("GET", path, query, None, wrote=False))

    async def find(self, path: str, query: Mapping[str, str]) -> Body | None:
        """None only if NetSuite says that this record does not exist."""
        try:
            return await self.get(path, query)
        except NotFound:
            return None

    async def put(self, path: str, query: Mapping[str, str], body: Body) -> None:
        await self._call("PUT", path, query, body, wrote=True)

    async def patch(self, path: str, body: Body) -> None:
        await self._call("PATCH", path, {}, body, wrote=True)

    async def select(self, q: str, *params: str | int) -> list[Body]:
        """All rows of a SuiteQL query, from as many pages as it takes; every value in them is a text, empty ones are absent."""
        rows: list[Body] = []
        body: Body = {"q": q, "params": list(params)}
        while True:
            page = {"limit": str(PAGE), "offset": str(len(rows))}
            answer = self._body(await self._call("POST", "/query/v1/suiteql", page, body, wrote=False))
            items = answer.get("items")
            if not isinstance(items, list) or not all(isinstance(one, dict) for one in items):
                raise BadPlatformAnswer("NetSuite: a query came without its rows", system=self.system)
            rows += items
            if answer.get("hasMore") is not True:
                return rows
            if len(items) != PAGE:
                raise BadPlatformAnswer("NetSuite: a page of a query came short", system=self.system)

    async def close(self) -> None:
        await self._http.aclose()

    async def _call(self, method: str, path: str, query: Mapping[str, str], body: Body | None, *, wrote: bool) -> httpx.Response:
        token = await self._tokens.current()
        answer = await self._send(method, path, query, body, token)
        if answer.status_code == 401 and _EXPIRED.search(answer.headers.get("www-authenticate", "")):
            # Refused at the door, so nothing was done: once more with a token that has taken its place.
            answer = await self._send(method, path, query, body, await self._tokens.instead_of(token))
        if not answer.is_success:
            raise problem(answer, self.system, wrote=wrote)
        return answer

    async def _send(self, method: str, path: str, query: Mapping[str, str], body: Body | None, token: Token) -> httpx.Response:
        headers = {"Authorization": f"Bearer {token.text}", "Accept": "application/json", **STRICT}
        if method == "POST":
            headers["Prefer"] = "transient"  # SuiteQL demands it; nothing else is posted
        if correlation_id.get():
            headers["X-Correlation-Id"] = correlation_id.get()
        content = None
        if body is not None:
            headers["Content-Type"] = "application/json"
            content = encoded(body)
        request = self._http.build_request(method, ROOT + path, params=query or None, headers=headers, content=content)
        return await http.send(self._http, request, system=self.system)

    def _body(self, answer: httpx.Response) -> Body:
        body = decoded(answer.content)
        if body is None:
            raise BadPlatformAnswer(f"NetSuite: {answer.status_code} without a JSON object", system=self.system)
        return body
