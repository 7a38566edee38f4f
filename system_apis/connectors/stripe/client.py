"""Stripe's wire: one request each, under a pinned release, answered by a JSON object or by a problem."""

import json
from decimal import Decimal
from typing import Any, TypeAlias

import httpx
from pydantic import SecretStr

from kernel import http
from kernel.context import correlation_id
from kernel.problem import BadPlatformAnswer, PlatformDown
from kernel.secrets import SecretMissing
from kernel.settings import Connection
from system_apis.connector import Secrets
from system_apis.connectors.stripe.errors import problem
from system_apis.connectors.stripe.form import Form, encoded

VERSION = "2026-10-28.endive"
PAGE = 100  # the most that Stripe lists at once

Wire: TypeAlias = dict[str, Any]


class StripeClient:
    """Speaks to one Stripe account with its secret key, which is read again when Stripe no longer accepts it."""

    def __init__(self, connection: Connection, secrets: Secrets) -> None:
        self.system = connection.id
        self._secrets = secrets
        self._key = secrets.secret("secret_key")
        self._http = http.client(
            connection.base_url, timeout=connection.patience.deadline, connections=connection.budget.concurrency
        )

    async def get(self, path: str, query: Form | None = None) -> Wire:
        return await self._call("GET", path, query or {}, None, wrote=False)

    async def post(self, path: str, form: Form, idempotency_key: str | None = None) -> Wire:
        return await self._call("POST", path, form, idempotency_key, wrote=True)

    async def compute(self, path: str, form: Form) -> Wire:
        """A POST that answers a question and changes nothing, so that its failure is never in doubt."""
        return await self._call("POST", path, form, None, wrote=False)

    async def delete(self, path: str, query: Form) -> Wire:
        return await self._call("DELETE", path, query, None, wrote=True)

    async def listed(self, path: str, query: Form, at_most: int | None = None) -> list[Wire]:
        """The objects of a list, newest first, from as many pages as it takes. https://docs.stripe.com/api/pagination"""
        found: list[Wire] = []
        while True:
            page = await self.get(path, {**query, "limit": PAGE, "starting_after": found[-1]["id"] if found else None})
            data = self._data(page)
            found += data
            if page.get("has_more") is not True or not data or (at_most is not None and len(found) >= at_most):
                return found[:at_most]

    async def searched(self, path: str, query: str) -> list[Wire]:
        """The first page of what the search index holds, which lags behind. https://docs.stripe.com/search"""
        return self._data(await self.get(path, {"query": query, "limit": PAGE}))

    async def close(self) -> None:
        await self._http.aclose()

    async def _call(self, method: str, path: str, form: Form, idempotency_key: str | None, *, wrote: bool) -> Wire:
        used = self._key
        answer = await self._send(method, path, form, idempotency_key, used)
        if answer.status_code == 401 and self._rolled(used):
            # Refused at the door, so nothing was done: once more with the key that has taken its place.
            answer = await self._send(method, path, form, idempotency_key, self._key)
        if not answer.is_success:
            raise problem(answer, self.system, wrote=wrote)
        return self._body(answer)

    async def _send(self, method: str, path: str, form: Form, idempotency_key: str | None, key: SecretStr) -> httpx.Response:
        headers = {"Authorization": f"Bearer {key.get_secret_value()}", "Stripe-Version": VERSION}
        if correlation_id.get():
            headers["X-Correlation-Id"] = correlation_id.get()
        if idempotency_key:
            headers["Idempotency-Key"] = idempotency_key
        text = encoded(form)
        if method == "POST":
            headers["Content-Type"] = "application/x-www-form-urlencoded"
            request = self._http.build_request(method, path, headers=headers, content=text)
        else:
            request = self._http.build_request(method, f"{path}?{text}" if text else path, headers=headers)
        return await http.send(self._http, request, system=self.system)

    def _rolled(self, used: SecretStr) -> bool:
        """Whether another key than the one used is now kept where the reference leads."""
        try:
            self._key = self._secrets.secret("secret_key")
        except SecretMissing as error:
            raise PlatformDown("Stripe does not accept the secret key", system=self.system, fix=str(error)) from None
        return self._key != used

    def _body(self, answer: httpx.Response) -> Wire:
        try:
            body = json.loads(answer.content, parse_float=Decimal)
        except ValueError:
            body = None
        if not isinstance(body, dict):
            raise BadPlatformAnswer(f"Stripe: {answer.status_code} without a JSON object", system=self.system)
        return body

    def _data(self, page: Wire) -> list[Wire]:
        data = page.get("data")
        if not isinstance(data, list) or not all(isinstance(one, dict) and isinstance(one.get("id"), str) for one in data):
            raise BadPlatformAnswer("Stripe: a list came without its objects", system=self.system)
        return data
