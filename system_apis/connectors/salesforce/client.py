"""Salesforce's wire: REST calls of one version in a live session, answered by JSON with exact numbers or by a problem."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, TypeAlias

import httpx

from kernel import http
from kernel.clock import Clock
from kernel.context import correlation_id
from kernel.problem import BadPlatformAnswer, Problem
from kernel.settings import Connection
from system_apis.connector import Secrets
from system_apis.connectors.salesforce.errors import Refusal, problem, refusal, refusal_of
from system_apis.connectors.salesforce.options import Options
from system_apis.connectors.salesforce.tokens import Session, Sessions

# What we write no duplicate rule compares: an alert about two similar accounts must not keep a reference from its record.
ALLOW_DUPLICATES = {"Sforce-Duplicate-Rule-Header": "allowSave=true"}
HALTED = "PROCESSING_HALTED"  # said of the parts of a composite that were undone because of another one
_NEXT = re.compile(r"/services/data/v[0-9]{1,3}\.0/query/[A-Za-z0-9_-]{1,100}")
_NAMEABLE = re.compile(r"[A-Za-z0-9._:-]{1,128}")

Wire: TypeAlias = dict[str, Any]


@dataclass(frozen=True)
class Update:
    """Values for the fields of one row."""

    sobject: str
    id: str
    values: Mapping[str, str]


class SalesforceClient:
    """Speaks to one org. A session that has ended is replaced once a call: refused at the door, the call had done nothing."""

    def __init__(self, connection: Connection, options: Options, secrets: Secrets, clock: Clock) -> None:
        self.system = connection.id
        self._named = options.named
        self._root = f"/services/data/v{options.api_version}"
        self._http = http.client(
            connection.base_url, timeout=connection.patience.deadline, connections=connection.budget.concurrency
        )
        self._sessions = Sessions(connection, options, secrets, self._http, clock)

    async def resources(self) -> Wire:
        """What this version offers: the cheapest call that needs a session."""
        return self._object(await self._get(f"{self._root}/"))

    async def row(self, sobject: str, id: str, fields: Sequence[str]) -> Wire:
        return self._object(await self._get(self._row_path(sobject, id), {"fields": ",".join(fields)}))

    async def query(self, soql: str) -> list[Wire]:
        """All records, with those of sub-queries, from as many pages as it takes."""
        return await self._records(await self._get(f"{self._root}/query", {"q": soql}))

    async def update(self, one: Update) -> None:
        await self._call("PATCH", self._row_path(one.sobject, one.id), headers=ALLOW_DUPLICATES, body=one.values)

    async def update_together(self, updates: Sequence[Update]) -> None:
        """All or none, in one call. Raises the problem of the part that failed."""
        parts = [
            {
                "method": "PATCH",
                "url": self._row_path(one.sobject, one.id),
                "referenceId": f"part{number}",
                "body": one.values,
                "httpHeaders": ALLOW_DUPLICATES,
            }
            for number, one in enumerate(updates)
        ]
        body = {"allOrNone": True, "compositeRequest": parts}
        answer = self._object(await self._call("POST", f"{self._root}/composite", body=body))
        answers = answer.get("compositeResponse")
        if not isinstance(answers, list) or len(answers) != len(parts):
            raise self._odd("a composite answer without its parts")
        failed = [one for one in map(self._part, answers) if one is not None]
        if failed:
            raise self._problem(next((one for one in failed if one.code != HALTED), failed[0]), wrote=True)

    async def close(self) -> None:
        await self._sessions.close()
        await self._http.aclose()

    async def _get(self, path: str, query: Mapping[str, str] | None = None) -> Any:
        return await self._call("GET", path, query=query)

    async def _call(
        self, method: str, path: str, *, query: Mapping[str, str] | None = None, headers: Mapping[str, str] | None = None,
        body: Mapping[str, Any] | None = None,
    ) -> Any:  # fmt: skip
        session = await self._sessions.current()
        answer = await self._send(session, method, path, query, headers or {}, body)
        if answer.status_code == 401 and refusal_of(answer).is_expiry:
            self._sessions.ended(session)
            answer = await self._send(await self._sessions.current(), method, path, query, headers or {}, body)
        if not answer.is_success:
            raise self._problem(refusal_of(answer), wrote=body is not None)
        return self._json(answer)

    async def _send(
        self, session: Session, method: str, path: str, query: Mapping[str, str] | None, headers: Mapping[str, str],
        body: Mapping[str, Any] | None,
    ) -> httpx.Response:  # fmt: skip
        sent = {**headers, **_names_of_call(), "Authorization": f"Bearer {session.token.get_secret_value()}"}
        request = self._http.build_request(method, session.origin + path, params=query, headers=sent, json=body)
        return await http.send(self._http, request, system=self.system)

    async def _records(self, page: Any) -> list[Wire]:
        found: list[Wire] = []
        while True:
            records = page.get("records") if isinstance(page, dict) else None
            if not isinstance(records, list) or not all(isinstance(one, dict) for one in records):
                raise self._odd("a query answer without its records")
            found += records
            if page.get("done") is True:
                break
            page = await self._get(self._next(page))
        for record in found:
            for name, value in record.items():
                if isinstance(value, dict) and "records" in value:
                    record[name] = {"records": await self._records(value)}
        return found

    def _next(self, page: Wire) -> str:
        """The path of the next page: it gets our token, so it has to be a query's, and it is asked of the session's origin."""
        url = page.get("nextRecordsUrl")
        if not isinstance(url, str) or not _NEXT.fullmatch(url):
            raise self._odd("a query answer that neither ends nor goes on")
        return url

    def _row_path(self, sobject: str, id: str) -> str:
        return http.path(f"{self._root}/sobjects/{{sobject}}/{{id}}", sobject=sobject, id=id)

    def _part(self, answer: Any) -> Refusal | None:
        """The refusal in one part of a composite answer; None where it succeeded."""
        status = answer.get("httpStatusCode") if isinstance(answer, dict) else None
        if not isinstance(status, int):
            raise self._odd("a composite answer with a part without status")
        return None if 200 <= status < 300 else refusal(status, answer.get("body"))

    def _json(self, answer: httpx.Response) -> Any:
        if answer.status_code == 204:
            return None
        try:
            return json.loads(answer.content, parse_float=Decimal)
        except ValueError:
            raise self._odd(f"{answer.status_code} without JSON") from None

    def _object(self, body: Any) -> Wire:
        if not isinstance(body, dict):
            raise self._odd("an answer that is no object")
        return body

    def _problem(self, refused: Refusal, *, wrote: bool) -> Problem:
        return problem(refused, self.system, wrote=wrote, named=self._named)

    def _odd(self, what: str) -> BadPlatformAnswer:
        return BadPlatformAnswer(f"Salesforce: {what}", system=self.system)


def _names_of_call() -> dict[str, str]:
    """Ours, and the correlation id: as the client's name it shows in the org's event log files."""
    named = correlation_id.get()
    if not named:
        return {"Sforce-Call-Options": "client=trivium"}
    client = f"trivium/{named}" if _NAMEABLE.fullmatch(named) else "trivium"
    return {"Sforce-Call-Options": f"client={client}", "X-Correlation-Id": named}
