"""Creating, updating, upserting and deleting one row, with the org's checks in the order Salesforce makes them.

Each function is one transaction and returns only when the row and its totals are stored; ApiError leaves nothing behind.
"""

from typing import Any

from sandbox.salesforce import errors, ids, rules
from sandbox.salesforce.errors import ApiError
from sandbox.salesforce.objects import OBJECTS, PREFIXES
from sandbox.salesforce.schema import Field, SObject
from sandbox.salesforce.store import Record, Store
from sandbox.salesforce.values import typed

Body = dict[str, Any]


def create(store: Store, sobject: SObject, body: Body, **computed: Any) -> str:
    """The new row's id. `computed` sets fields that a caller may not, for the seeded world."""
    if not sobject.writable:
        raise ApiError(400, "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", f"entity type cannot be inserted: {sobject.name}", [])
    values = accepted(store, sobject, body, creating=True)
    if absent := [f.name for f in sobject.fields.values() if f.required and values.get(f.name) is None]:
        raise errors.missing(absent)
    with store.transaction():
        id_, now = store.new_id(sobject.name), store.now()
        record: Record = {name: _default(field) for name, field in sobject.fields.items()}
        record |= {"CreatedById": ids.USER, "LastModifiedById": ids.USER, "CreatedDate": now, "LastModifiedDate": now}
        record |= values | computed | {"Id": id_, "SystemModstamp": now}
        _store(store, sobject, record, None)
    return id_


def update(store: Store, sobject: SObject, id_: str, body: Body) -> None:
    if not sobject.writable:
        raise ApiError(400, "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", f"entity type cannot be updated: {sobject.name}", [])
    before = existing(store, sobject, id_)
    values = accepted(store, sobject, body, creating=False)
    if emptied := [name for name, value in values.items() if value is None and sobject.fields[name].required]:
        raise errors.missing(emptied)
    with store.transaction():
        now = store.now()
        record = before | values | {"LastModifiedById": ids.USER, "LastModifiedDate": now, "SystemModstamp": now}
        _store(store, sobject, record, before)


def delete(store: Store, sobject: SObject, id_: str) -> None:
    """Deletes the row and those that cannot be without it."""
    record = existing(store, sobject, id_)
    with store.transaction():
        for child in OBJECTS.values():
            for field in child.fields.values():
                if field.cascade and field.parent == sobject.name:
                    for orphan in store.tables[child.name].find(field.name, record["Id"]):
                        delete(store, child, orphan)
        store.remove(sobject.name, record["Id"])
        rules.ripple(store, sobject.name, record)


def existing(store: Store, sobject: SObject, given: str) -> Record:
    """The live row with an id of 15 or 18 characters."""
    id_, table = ids.full(given), store.tables[sobject.name]
    if id_ is None:
        raise errors.not_found(f"Provided external ID field does not exist or is not accessible: {given}")
    if id_ in table.deleted:
        raise errors.deleted()
    if id_ not in table.live:
        raise errors.not_found()
    return table.live[id_]


def external_field(sobject: SObject, name: str) -> Field:
    field = sobject.field(name)
    if field is None or not (field.external or field.name == "Id"):
        raise errors.not_found()
    return field


def match(store: Store, sobject: SObject, field: Field, value: str) -> str | None:
    """The one row with this external id, None without one; SeveralRecords when it is ambiguous."""
    found = store.tables[sobject.name].find(field.name, value)
    if len(found) > 1:
        raise errors.SeveralRecords(sobject.name, found)
    return found[0] if found else None


def upsert(
    store: Store, sobject: SObject, external: tuple[str, str], body: Body, *, update_only: bool = False
) -> tuple[str, bool]:
    """(id, created) of the row whose external id (field, value) this is. The body must not repeat the external id."""
    field, value = external_field(sobject, external[0]), external[1]
    if any(name.lower() == field.name.lower() for name in body):
        message = f"The {field.name} field should not be specified in the sobject data."
        raise ApiError(400, "INVALID_FIELD", message, [field.name])
    found = match(store, sobject, field, value) if field.name != "Id" else existing(store, sobject, value)["Id"]
    if found is not None:
        update(store, sobject, found, body)
        return found, False
    if update_only:
        raise errors.not_found()
    return create(store, sobject, body | {field.name: value}), True


def accepted(store: Store, sobject: SObject, body: Body, *, creating: bool) -> Record:
    """The body's values by field name: unknown fields, read-only fields, wrong types and dead references refused."""
    values: Record = {}
    refused: list[str] = []
    for name, value in body.items():
        if name == "attributes":
            continue
        if (parent := sobject.parents.get(name.lower())) is not None:
            field, value = parent, _related(store, parent, value)
        else:
            field = _known(sobject, name)
        if not (field.createable if creating else field.updateable):
            refused.append(field.name)
            continue
        values[field.name] = typed(field, value)
        if field.type == "reference" and values[field.name] is not None:
            _must_exist(store, field, values[field.name])
    if refused:
        raise _read_only(refused)
    return values


def _known(sobject: SObject, name: str) -> Field:
    if (field := sobject.field(name)) is None:
        raise errors.no_column(name, sobject.name)
    return field


def _read_only(names: list[str]) -> ApiError:
    message = (
        f"Unable to create/update fields: {', '.join(names)}. Please check the security settings of this field and "
        "verify that it is read/write for your profile or permission set."
    )
    return ApiError(400, "INVALID_FIELD_FOR_INSERT_UPDATE", message, names)


def _related(store: Store, reference: Field, named: Any) -> str | None:
    """The id of the parent named by its external id: {"Gateway_Id__c": "ACME-1"}."""
    if named is None:
        return None
    keys = [key for key in named if key != "attributes"] if isinstance(named, dict) else []
    parent = OBJECTS[reference.parent or ""]
    if len(keys) != 1:
        raise errors.parse_error(f"Cannot deserialize instance of {parent.name} for {reference.relationship}")
    field = _known(parent, keys[0])
    if not (field.external or field.name == "Id"):
        raise ApiError(400, "INVALID_FIELD", f"Field name provided, {field.name} is not an External ID for {parent.name}", [])
    found = match(store, parent, field, str(named[keys[0]]))
    if found is None:
        shown = f"Foreign key external ID: {str(named[keys[0]]).lower()} not found for field {field.name} in entity {parent.name}"
        raise ApiError(400, "INVALID_FIELD", shown, [])
    return found


def _must_exist(store: Store, reference: Field, id_: str) -> None:
    target = PREFIXES.get(id_[:3])
    if target is None or target.name != reference.parent:
        raise ApiError(400, "MALFORMED_ID", f"{reference.name}: id value of incorrect type: {id_}", [reference.name])
    if id_ in store.tables[target.name].deleted:
        raise ApiError(400, "ENTITY_IS_DELETED", "entity is deleted", [])
    if store.row(target.name, id_) is None:
        raise errors.bad_reference()


def _default(field: Field) -> Any:
    match field.default:
        case None:
            return False if field.type == "boolean" else None
        case "owner":
            return ids.USER
        case "true":
            return True
    return field.default


def _store(store: Store, sobject: SObject, record: Record, before: Record | None) -> None:
    table = store.tables[sobject.name]
    for field in sobject.fields.values():
        if field.unique and record[field.name] is not None:
            for other in table.find(field.name, record[field.name]):
                if other != record["Id"]:
                    raise errors.duplicate(field.name, other)
    rules.complete(store, sobject.name, record, before)
    store.put(sobject.name, record["Id"], record)
    rules.ripple(store, sobject.name, record)
