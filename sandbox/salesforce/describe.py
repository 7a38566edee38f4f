"""Describe: what clients ask to learn an object's fields, types, references and children."""

from typing import Any

from sandbox.salesforce.objects import CHILDREN, OBJECTS
from sandbox.salesforce.schema import IDS, NUMERIC, TEXT, Field, SObject

SOAP_TYPES = {
    "boolean": "xsd:boolean",
    "date": "xsd:date",
    "datetime": "xsd:dateTime",
    "int": "xsd:int",
    "address": "urn:address",
}


def everything(base: str) -> dict[str, Any]:
    return {"encoding": "UTF-8", "maxBatchSize": 200, "sobjects": [summary(sobject, base) for sobject in OBJECTS.values()]}


def summary(sobject: SObject, base: str) -> dict[str, Any]:
    url = f"{base}/sobjects/{sobject.name}"
    writable = sobject.writable
    return {
        "name": sobject.name,
        "label": sobject.name,
        "labelPlural": f"{sobject.name}s",
        "keyPrefix": sobject.prefix,
        "custom": False,
        "createable": writable,
        "updateable": writable,
        "deletable": writable,
        "queryable": True,
        "retrieveable": True,
        "replicateable": writable,
        "searchable": False,
        "urls": {"sobject": url, "describe": f"{url}/describe", "rowTemplate": f"{url}/{{ID}}"},
    }


def full(sobject: SObject, base: str) -> dict[str, Any]:
    children = [
        {"childSObject": child.name, "field": reference, "relationshipName": child.fields[reference].child_relationship}
        | {"cascadeDelete": child.fields[reference].cascade}
        for child, reference in CHILDREN[sobject.name].values()
    ]
    return summary(sobject, base) | {"fields": [_field(f) for f in sobject.fields.values()], "childRelationships": children}


def _field(field: Field) -> dict[str, Any]:
    return {
        "name": field.name,
        "label": field.name.removesuffix("__c").replace("_", " "),
        "type": field.type,
        "soapType": _soap_type(field),
        "length": 18 if field.type in IDS else field.length,
        "byteLength": 18 if field.type in IDS else field.length * 3,
        "precision": 18 if field.type in NUMERIC else 0,
        "scale": 2 if field.type in NUMERIC - {"int"} else 0,
        "nillable": not field.required and field.type != "boolean" and field.name != "Id",
        "createable": field.createable,
        "updateable": field.updateable,
        "defaultedOnCreate": field.default is not None or field.type == "boolean",
        "unique": field.unique,
        "externalId": field.external,
        "idLookup": field.external or field.name == "Id",
        "custom": field.custom,
        "filterable": field.filterable and field.type != "address",
        "sortable": field.filterable and field.type != "address",
        "referenceTo": [field.parent] if field.parent else [],
        "relationshipName": field.relationship,
        "restrictedPicklist": bool(field.values),
        "picklistValues": [{"active": True, "defaultValue": v == field.default, "label": v, "value": v} for v in field.values],
    }


def _soap_type(field: Field) -> str:
    if field.type in IDS:
        return "tns:ID"
    if field.type in TEXT:
        return "xsd:string"
    return SOAP_TYPES.get(field.type, "xsd:double")
