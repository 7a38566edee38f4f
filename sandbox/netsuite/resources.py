"""The resources below /services/rest: record/v1, query/v1 and async/v1, from a call to an answer."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from starlette.responses import Response

from sandbox.netsuite import metadata
from sandbox.netsuite.call import Call, flag, page
from sandbox.netsuite.catalog import BY_LOWER
from sandbox.netsuite.errors import answer, invalid_content, invalid_header, method_not_allowed, nonexistent, not_found
from sandbox.netsuite.filters import matching
from sandbox.netsuite.jobs import Jobs, job_body, task_body, task_list
from sandbox.netsuite.present import View, links
from sandbox.netsuite.query import run
from sandbox.netsuite.records import EXTERNAL, Records
from sandbox.netsuite.schema import RecordType
from sandbox.netsuite.store import Record
from sandbox.netsuite.suiteql import parse
from sandbox.netsuite.tables import Table

MEDIA = "application/vnd.oracle.resource+json; type={}; charset=UTF-8"
WRITES = ("replace", "replaceSelectedFields")


@dataclass
class Resources:
    """What the account offers over REST, once the caller is known."""

    records: Records
    tables: dict[str, Table]
    jobs: Jobs

    def answer(self, call: Call) -> Response:
        match call.segments:
            case ["record", "v1", "metadata-catalog", *kind]:
                return self._metadata(call, kind)
            case ["record", "v1", kind, *rest]:
                return self._record(call, self._kind(kind, call.path), rest)
            case ["query", "v1", "suiteql"]:
                return self._suiteql(call)
            case ["async", "v1", "job", job, *rest]:
                return self._job(call, job, rest)
        raise not_found("The requested resource does not exist.", call.path)

    def _kind(self, name: str, url: str) -> RecordType:
        found = BY_LOWER.get(name.lower())
        if found is None:
            raise not_found(f"Record type '{name}' does not exist.", url)
        return found

    def _record(self, call: Call, kind: RecordType, rest: list[str]) -> Response:
        match call.method, rest:
            case "GET", []:
                return self._list(call, kind)
            case "POST", []:
                return self._create(call, kind)
            case _, []:
                raise _no_batch(call)
            case "GET", [identifier]:
                return self._get(call, kind, identifier)
            case "PATCH", [identifier]:
                return self._patch(call, kind, identifier)
            case "PUT", [identifier]:
                return self._put(call, kind, identifier)
            case "DELETE", [identifier]:
                call.params()
                self.records.delete(self.records.find(kind, identifier, call.path))
                return Response(status_code=204)
            case _, [_]:
                raise method_not_allowed(call.method, "GET, PUT, PATCH, DELETE")
            case "POST", [identifier, "!transform", target]:
                return self._transform(call, kind, identifier, target)
            case "GET", [identifier, sublist, *line] if sublist in kind.sublists and len(line) < 2:
                return self._sublist(call, self.records.find(kind, identifier, call.path), sublist, line)
        raise not_found("The requested resource does not exist.", call.path)

    def _view(self, call: Call, params: dict[str, str]) -> View:
        return View(self.records.books, call.root, flag(params, "expandSubResources"), flag(params, "simpleEnumFormat"))

    def _list(self, call: Call, kind: RecordType) -> Response:
        params = call.params("q", "limit", "offset")
        limit, offset = page(params)
        found = matching(self.records.books, kind, params.get("q"))
        here = f"{call.root}/record/v1/{kind.name}"
        items = [{"links": links({"self": f"{here}/{record.id}"}), "id": record.id} for record in found[offset : offset + limit]]
        kept = {"q": params["q"]} if "q" in params else {}
        return answer(_paged(here, kept, items, limit, offset, len(found)), 200, MEDIA.format("collection"))

    def _get(self, call: Call, kind: RecordType, identifier: str) -> Response:
        params = call.params("expandSubResources", "simpleEnumFormat", "fields")
        view = self._view(call, params)
        record = self.records.find(kind, identifier, call.path)
        return answer(view.record(record, view.fields(record, params.get("fields"))), 200, MEDIA.format("singular"))

    def _sublist(self, call: Call, record: Record, name: str, line: list[str]) -> Response:
        view = self._view(call, call.params("expandSubResources", "simpleEnumFormat", "limit", "offset"))
        if not line:
            return answer(view.sublist(record, name), 200, MEDIA.format("collection"))
        for one in record.lines.get(name, ()):
            if str(one["line"]) == line[0]:
                return answer(view.line(record, name, one), 200, MEDIA.format("singular"))
        raise nonexistent(call.path)

    def _create(self, call: Call, kind: RecordType) -> Response:
        params = call.params(*WRITES)
        if "type=collection" in call.headers.get("content-type", "").replace(" ", ""):
            raise _no_batch(call)
        reader = call.reader(self.records.books.store, params)
        if "type=create-form" in call.headers.get("accept", "").replace(" ", ""):
            draft = self.records.form(kind, call.json() if call.body else {}, reader)
            return answer(View(self.records.books, call.root, expand=True).record(draft), 200, MEDIA.format("create-form"))
        return _written(call, self.records.create(kind, call.json(), reader), reader.warnings)

    def _patch(self, call: Call, kind: RecordType, identifier: str) -> Response:
        reader = call.reader(self.records.books.store, call.params(*WRITES))
        record = self.records.find(kind, identifier, call.path)
        return _written(call, self.records.update(record, call.json(), reader), reader.warnings)

    def _put(self, call: Call, kind: RecordType, identifier: str) -> Response:
        reader = call.reader(self.records.books.store, call.params(*WRITES))
        if identifier.startswith(EXTERNAL):
            record = self.records.upsert(kind, identifier.removeprefix(EXTERNAL), call.json(), reader)
        else:
            record = self.records.update(self.records.find(kind, identifier, call.path), call.json(), reader)
        return _written(call, record, reader.warnings)

    def _transform(self, call: Call, kind: RecordType, identifier: str, target: str) -> Response:
        reader = call.reader(self.records.books.store, call.params(*WRITES))
        source = self.records.find(kind, identifier, call.path)
        made = self.records.transform(source, self._kind(target, call.path), call.json() if call.body else {}, reader)
        return _written(call, made, reader.warnings)

    def _metadata(self, call: Call, kind: list[str]) -> Response:
        if call.method != "GET":
            raise method_not_allowed(call.method, "GET")
        accept = call.headers.get("accept", "")
        select = call.params("select").get("select")
        names = kind or (select.split(",") if select else list(BY_LOWER))
        kinds = [self._kind(name.strip(), call.path) for name in names]
        if "application/swagger+json" in accept:
            return answer(metadata.openapi(kinds, call.root), 200, "application/swagger+json")
        if kind:
            return answer(metadata.json_schema(kinds[0]), 200, "application/schema+json")
        return answer(metadata.catalog(call.root), 200, "application/json")

    def _suiteql(self, call: Call) -> Response:
        if call.method != "POST":
            raise method_not_allowed(call.method, "POST")
        if not call.prefers("transient"):
            raise invalid_header(
                "Prefer", "The required request header is missing or its value is invalid. Use Prefer: transient."
            )
        limit, offset = page(call.params("limit", "offset"))
        body = call.json()
        if not isinstance(body, dict) or not isinstance(body.get("q"), str) or set(body) - {"q", "params"}:
            raise invalid_content("The request body must contain the query in q, and its parameters in params.", "q")
        params = body.get("params", [])
        if not isinstance(params, list) or any(isinstance(one, (dict, list, bool)) for one in params):
            raise invalid_content("The query parameters must be a list of values.", "params")
        rows = run(parse(body["q"], params), self.tables)
        items = [{"links": [], **row} for row in rows[offset : offset + limit]]
        found = _paged(f"{call.root}/query/v1/suiteql", {}, items, limit, offset, len(rows))
        return answer(found, 200, MEDIA.format("collection"))

    def _job(self, call: Call, identifier: str, rest: list[str]) -> Response:
        if call.method != "GET":
            raise method_not_allowed(call.method, "GET")
        job = self.jobs.find(identifier, call.path)
        match rest:
            case []:
                return answer(job_body(job, call.root), 200, "application/json")
            case ["task"]:
                return answer(task_list(job, call.root), 200, "application/json")
            case ["task", "1"]:
                return answer(task_body(job, call.root), 200, "application/json")
            case ["task", "1", "result"]:
                return job.response
        raise nonexistent(call.path)


def _no_batch(call: Call) -> Exception:
    """Batches are asynchronous in NetSuite; this account does not run them there either."""
    if call.prefers("respond-async"):
        return invalid_header("Content-Type", "Batch operations are not available in this account.")
    return invalid_header("Prefer", f"A batch {call.method} is asynchronous only: use Prefer: respond-async.")


def _paged(here: str, kept: dict[str, str], items: list[Any], limit: int, offset: int, total: int) -> dict[str, Any]:
    """A collection with its links: next and last while there is more, first and prev once there was some."""

    def at(start: int) -> str:
        return f"{here}?{urlencode({**kept, 'limit': limit, 'offset': start}, quote_via=quote)}"

    more = offset + limit < total
    found: dict[str, str] = {}
    if more:
        found |= {"next": at(offset + limit), "last": at((total - 1) // limit * limit)}
    if offset:
        found |= {"prev": at(offset - limit), "first": at(0)}
    found["self"] = at(offset)
    return {"links": links(found), "count": len(items), "hasMore": more, "items": items, "offset": offset, "totalResults": total}


def _written(call: Call, record: Record, warnings: list[str]) -> Response:
    headers = {"Location": f"{call.root}/record/v1/{record.type.name}/{record.id}"}
    if warnings:
        plain = "; ".join(warnings).encode("ascii", "backslashreplace").decode()
        headers["Warning"] = (
            '299 NetSuite "' + "".join(sign if sign.isprintable() and sign != '"' else " " for sign in plain) + '"'
        )
    return Response(status_code=204, headers=headers)
