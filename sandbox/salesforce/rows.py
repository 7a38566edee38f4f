"""sObject rows: create, read, update, upsert and delete of one record, with Salesforce's conditional headers.

ETags exist for Account only; dates have whole seconds and work for every object. DELETE takes no conditions.
"""

import base64
import hashlib
from datetime import datetime
from typing import Any

from sandbox.salesforce import errors, wire, writing
from sandbox.salesforce.call import LOCATED, Answer, Call
from sandbox.salesforce.errors import COLUMN_HINT, ApiError
from sandbox.salesforce.query import attributes
from sandbox.salesforce.schema import SObject
from sandbox.salesforce.store import Record

ETAGGED = "Account"
UPSERT_ANSWERS_SINCE = 46.0  # before this version an upsert that updated answered 204


def create(call: Call, sobject: SObject) -> Answer:
    id_ = writing.create(call.org.store, sobject, call.body())
    return Answer(201, {"id": id_, "success": True, "errors": []}, _location(call, sobject, id_))


def by_id(call: Call, sobject: SObject, id_: str) -> Answer:
    match call.method:
        case "GET" | "HEAD":
            return read(call, sobject, writing.existing(call.org.store, sobject, id_))
        case "PATCH":
            require_unmodified(call, sobject, writing.existing(call.org.store, sobject, id_))
            writing.update(call.org.store, sobject, id_, call.body())
            return Answer(204)
        case "DELETE":
            writing.delete(call.org.store, sobject, id_)
            return Answer(204)
    raise errors.method_not_allowed(call.method, "HEAD,GET,PATCH,DELETE")


def by_external_id(call: Call, sobject: SObject, name: str, value: str) -> Answer:
    store = call.org.store
    field = writing.external_field(sobject, name)
    if call.method == "PATCH":
        return _upsert(call, sobject, (name, value))
    found = writing.match(store, sobject, field, value)
    if found is None:
        raise errors.not_found()
    match call.method:
        case "GET" | "HEAD":
            return read(call, sobject, store.tables[sobject.name].live[found])
        case "DELETE":
            writing.delete(store, sobject, found)
            return Answer(204)
    raise errors.method_not_allowed(call.method, "HEAD,GET,PATCH,DELETE")


def _upsert(call: Call, sobject: SObject, external: tuple[str, str]) -> Answer:
    store = call.org.store
    found = writing.match(store, sobject, writing.external_field(sobject, external[0]), external[1])
    if found is not None:
        require_unmodified(call, sobject, store.tables[sobject.name].live[found])
    update_only = call.query.get("updateOnly", "false").lower() == "true"
    id_, created = writing.upsert(store, sobject, external, call.body(), update_only=update_only)
    if not created and float(call.version) < UPSERT_ANSWERS_SINCE:
        return Answer(204)
    answer = {"id": id_, "success": True, "errors": [], "created": created}
    return Answer(201 if created else 200, answer, _location(call, sobject, id_))


def read(call: Call, sobject: SObject, record: Record) -> Answer:
    """The record with all fields or those of `?fields=`, or 304 when the caller has it already."""
    headers = {"Last-Modified": wire.http_date(record["LastModifiedDate"])}
    if sobject.name == ETAGGED:
        headers["ETag"] = etag(call, record)
    if _unchanged(call, record, headers.get("ETag")):
        return Answer(304, None, headers)
    return Answer(200, shown(call, sobject, record), headers)


def shown(call: Call, sobject: SObject, record: Record) -> dict[str, Any]:
    head = {"attributes": attributes(sobject, record["Id"], call.base)}
    wanted = call.query.get("fields")
    if not wanted:
        return head | record
    return head | projected(sobject, record, wanted.split(","))


def projected(sobject: SObject, record: Record, names: list[str]) -> Record:
    """The named fields and the id; 400 for one the object does not have."""
    chosen: Record = {}
    for name in names:
        field = sobject.field(name.strip())
        if field is None:
            raise ApiError(400, "INVALID_FIELD", f"No such column '{name}' on entity '{sobject.name}'. {COLUMN_HINT}")
        chosen[field.name] = record[field.name]
    return chosen | {"Id": record["Id"]}


def etag(call: Call, record: Record) -> str:
    version = call.org.store.tables[ETAGGED].versions[record["Id"]]
    digest = hashlib.sha256(f"{record['Id']}:{version}".encode()).digest()
    return f'"{base64.b64encode(digest).decode()}--gzip"'


def _unchanged(call: Call, record: Record, tag: str | None) -> bool:
    if tag is not None and (given := call.headers.get("if-none-match")) is not None:
        return _names(given, tag)
    since = wire.from_http_date(call.headers.get("if-modified-since", ""))
    return since is not None and _modified(record) <= since


def require_unmodified(call: Call, sobject: SObject, record: Record) -> None:
    """412 when the caller's picture of the record is stale; 400 for a date that is none."""
    if (given := call.headers.get("if-unmodified-since")) is not None:
        since = wire.from_http_date(given)
        if since is None:
            raise ApiError(400, "INVALID_HTTP_HEADER", f"Invalid value for header If-Unmodified-Since: {given}")
        if _modified(record) > since:
            raise precondition_failed()
    given = call.headers.get("if-match") if sobject.name == ETAGGED else None
    if given is not None and not _names(given, etag(call, record)):
        raise precondition_failed()


def precondition_failed() -> ApiError:
    return ApiError(412, "PRECONDITION_FAILED", "A condition of the request headers does not hold for this record")


def _names(header: str, tag: str) -> bool:
    return header.strip() == "*" or tag in [one.strip().removeprefix("W/") for one in header.split(",")]


def _modified(record: Record) -> datetime:
    return wire.moment(record["LastModifiedDate"]).replace(microsecond=0)


def _location(call: Call, sobject: SObject, id_: str) -> dict[str, str]:
    return {LOCATED: f"{call.base}/sobjects/{sobject.name}/{id_}"}
