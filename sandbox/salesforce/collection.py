"""sObject collections and trees: up to 200 records in one call, each with a result of its own or all or nothing."""

from collections.abc import Callable
from typing import Any

from sandbox.salesforce import errors, writing
from sandbox.salesforce.call import Answer, Call
from sandbox.salesforce.errors import ApiError
from sandbox.salesforce.objects import CHILDREN, SPELLED
from sandbox.salesforce.query import attributes
from sandbox.salesforce.rows import projected
from sandbox.salesforce.schema import SObject

MOST_RECORDS = 200
MOST_LEVELS = 5
Result = dict[str, Any]
ROLLED_BACK = "Record rolled back because not all records were valid and the request was using AllOrNone header"


def collections(call: Call) -> Answer:
    """`/composite/sobjects[/{Object}[/{external id field}]]`."""
    match call.method, call.path:
        case "POST", ():
            return _write(call, lambda record: {"id": writing.create(call.org.store, *_split(record))})
        case "PATCH", ():
            return _write(call, lambda record: _update(call, record))
        case "PATCH", (name, field):
            sobject = known(name)
            writing.external_field(sobject, field)
            return _write(call, lambda record: _upsert(call, sobject, field, record))
        case "DELETE", ():
            ids = [one for one in call.query.get("ids", "").split(",") if one]
            everything = call.query.get("allOrNone", "false").lower() == "true"
            return _each(call, ids, lambda id_: _delete(call, id_), all_or_none=everything)
        case "POST", (name,):
            body = call.body()
            return _retrieve(call, known(name), body.get("ids"), body.get("fields"))
        case "GET", (name,):
            return _retrieve(call, known(name), call.query.get("ids", "").split(","), call.query.get("fields", "").split(","))
    raise errors.method_not_allowed(call.method, "GET,POST,PATCH,DELETE")


def known(name: str) -> SObject:
    if (sobject := SPELLED.get(name.lower())) is None:
        raise errors.not_found()
    return sobject


def _write(call: Call, write: Callable[[dict[str, Any]], Result]) -> Answer:
    body = call.body()
    records = body.get("records")
    if not isinstance(records, list) or not all(isinstance(record, dict) for record in records):
        raise errors.parse_error("records: a list of objects is required")
    return _each(call, records, write, all_or_none=body.get("allOrNone") is True)


def _each(call: Call, items: list[Any], write: Callable[[Any], Result], *, all_or_none: bool) -> Answer:
    """A result per item in their order; with all_or_none one failure undoes and names the others as rolled back."""
    if len(items) > MOST_RECORDS:
        raise ApiError(
            400, "EXCEEDED_ID_LIMIT", f"record limit reached. cannot submit more than {MOST_RECORDS} records in this call"
        )
    results: list[Result] = []
    try:
        with call.org.store.transaction():
            for item in items:
                results.append(_result(write, item))
            if all_or_none and not all(result["success"] for result in results):
                raise _Undone
    except _Undone:
        rolled_back = errors.ApiError(400, "ALL_OR_NONE_OPERATION_ROLLED_BACK", ROLLED_BACK, []).result()
        results = [r if not r["success"] else {"success": False, "errors": [rolled_back]} for r in results]
    return Answer(200, results)


class _Undone(Exception):
    """Undoes the transaction it leaves."""


def _result(write: Callable[[Any], Result], item: Any) -> Result:
    try:
        return write(item) | {"success": True, "errors": []}
    except ApiError as error:
        return {"success": False, "errors": [error.result()]}


def _split(record: dict[str, Any]) -> tuple[SObject, dict[str, Any]]:
    """The object a record says it is, and the rest of it."""
    described = record.get("attributes")
    name = described.get("type") if isinstance(described, dict) else None
    sobject = SPELLED.get(str(name).lower())
    if sobject is None:
        raise ApiError(400, "INVALID_TYPE", f"sObject type '{name}' is not supported.", [])
    return sobject, {key: value for key, value in record.items() if key != "attributes"}


def _update(call: Call, record: dict[str, Any]) -> Result:
    sobject, body = _split(record)
    id_ = next((body.pop(key) for key in list(body) if key.lower() == "id"), None)
    if id_ is None:
        raise ApiError(400, "MISSING_ARGUMENT", "Id not specified in an update call", [])
    writing.update(call.org.store, sobject, str(id_), body)
    return {"id": str(id_)}


def _upsert(call: Call, sobject: SObject, field: str, record: dict[str, Any]) -> Result:
    named, body = _split(record)
    if named is not sobject:
        raise ApiError(400, "INVALID_TYPE", f"sObject type '{named.name}' does not match '{sobject.name}'.", [])
    value = next((body.pop(key) for key in list(body) if key.lower() == field.lower()), None)
    if value in (None, ""):
        raise ApiError(400, "MISSING_ARGUMENT", f"{field} not specified", [])
    id_, created = writing.upsert(call.org.store, sobject, (field, str(value)), body)
    return {"id": id_, "created": created}


def _delete(call: Call, id_: str) -> Result:
    from_prefix = next((o for o in SPELLED.values() if id_.startswith(o.prefix)), None)
    if from_prefix is None:
        raise ApiError(400, "MALFORMED_ID", f"malformed id {id_}", [])
    writing.delete(call.org.store, from_prefix, id_)
    return {"id": id_}


def _retrieve(call: Call, sobject: SObject, ids: Any, fields: Any) -> Answer:
    """The records in the order asked, null for one that is not there."""
    if not isinstance(ids, list) or not isinstance(fields, list) or not fields:
        raise errors.parse_error("ids and fields: two lists are required")
    found: list[dict[str, Any] | None] = []
    for id_ in ids:
        try:
            record = writing.existing(call.org.store, sobject, str(id_))
        except ApiError:
            found.append(None)
            continue
        head = {"attributes": attributes(sobject, record["Id"], call.base)}
        found.append(head | projected(sobject, record, [str(name) for name in fields]))
    return Answer(200, found)


def tree(call: Call, name: str) -> Answer:
    """`/composite/tree/{Object}`: records with their children nested, all created or none."""
    if call.method != "POST":
        raise errors.method_not_allowed(call.method, "POST")
    results: list[Result] = []
    records = call.body().get("records")
    if not isinstance(records, list) or not records:
        raise errors.parse_error("records: a list of objects is required")
    try:
        with call.org.store.transaction():
            _plant(call, known(name), records, None, 1, results)
    except _TreeFailure as failure:
        return Answer(400, {"hasErrors": True, "results": [failure.result]})
    return Answer(201, {"hasErrors": False, "results": results})


class _TreeFailure(Exception):
    def __init__(self, reference: str, error: ApiError) -> None:
        super().__init__(reference)
        self.result = {"referenceId": reference, "errors": [error.result()]}


def _plant(call: Call, sobject: SObject, records: Any, parent: tuple[str, str] | None, level: int, results: list[Result]) -> None:
    """Creates the records of one level under a parent (reference field, id), then those nested in them."""
    for record in records:
        described = record.get("attributes") if isinstance(record, dict) else None
        reference = str(described.get("referenceId")) if isinstance(described, dict) else ""
        try:
            if len(results) >= MOST_RECORDS or level > MOST_LEVELS:
                raise ApiError(400, "INVALID_INPUT", f"at most {MOST_RECORDS} records on {MOST_LEVELS} levels", [])
            if not reference or reference in {result["referenceId"] for result in results}:
                raise ApiError(
                    400, "INVALID_INPUT", f"Duplicate or missing ReferenceId provided in the request: {reference}.", []
                )
            own, nested = _nested(sobject, record)
            id_ = writing.create(call.org.store, sobject, own | (dict([parent]) if parent else {}))
        except ApiError as error:
            raise _TreeFailure(reference, error) from error
        results.append({"referenceId": reference, "id": id_})
        for child, field, children in nested:
            _plant(call, child, children, (field, id_), level + 1, results)


def _nested(sobject: SObject, record: Any) -> tuple[dict[str, Any], list[tuple[SObject, str, list[Any]]]]:
    """A record's own fields, and (object, reference field, records) of each child relationship in it."""
    if not isinstance(record, dict):
        raise errors.parse_error("records: a list of objects is required")
    own: dict[str, Any] = {}
    nested: list[tuple[SObject, str, list[Any]]] = []
    for key, value in record.items():
        child = CHILDREN[sobject.name].get(key.lower())
        if child is not None and isinstance(value, dict) and isinstance(value.get("records"), list):
            nested.append((*child, value["records"]))
        elif key != "attributes":
            own[key] = value
    return own, nested
