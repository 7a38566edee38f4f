"""Products: `/v1/products`, whose id the caller may choose and so use as its own key."""

import re

from sandbox.stripe.account import Call
from sandbox.stripe.errors import conflict_of_state, invalid
from sandbox.stripe.lists import page
from sandbox.stripe.parameters import EXPAND, PAGE, Required, Shape, array, boolean, changed_metadata, metadata, ranged, text
from sandbox.stripe.resources.reading import retrieve, search
from sandbox.stripe.routing import Operation
from sandbox.stripe.wire import Wire

_ID = re.compile(r"[A-Za-z0-9_.\-]{1,255}")
_FIELDS: Shape = EXPAND | {
    "active": boolean,
    "description": text(),
    "images": array(text(2048, unset=False), 8),
    "metadata": metadata,
    "shippable": boolean,
    "statement_descriptor": text(22),
    "tax_code": text(),
    "unit_label": text(12),
    "url": text(2048),
}


def create(call: Call) -> Wire:
    account = call.account
    id = call.params.pop("id", None) or account.new_id("prod")
    if not _ID.fullmatch(id):
        raise invalid("Invalid product id: use letters, digits, '.', '-' and '_' only.", "id")
    products = account.table("product")
    if id in products.at and id not in products.deleted:
        raise conflict_of_state(f"Product already exists: {id}", "resource_already_exists", "id")
    if id in products.deleted:
        raise conflict_of_state(f"The product id '{id}' belonged to a product that was deleted.", "resource_already_exists", "id")
    now = account.now()
    row: Wire = {
        "id": id,
        "object": "product",
        "active": True,
        "created": now,
        "default_price": None,
        "description": None,
        "images": [],
        "livemode": False,
        "marketing_features": [],
        "metadata": {},
        "package_dimensions": None,
        "shippable": None,
        "statement_descriptor": None,
        "tax_code": None,
        "type": "service",
        "unit_label": None,
        "updated": now,
        "url": None,
    }
    row |= call.params | {"metadata": changed_metadata({}, call.get("metadata", {}))}
    account.save(row)
    account.emit("product.created", row)
    return row


def update(call: Call) -> Wire:
    row = call.named("product")
    changes = dict(call.params)
    if "metadata" in changes:
        changes["metadata"] = changed_metadata(row["metadata"], changes["metadata"])
    if changes.get("default_price"):
        call.account.find("price", changes["default_price"], "default_price")
    changes["updated"] = call.account.now()
    return call.account.update(row, changes, "product.updated")


def delete(call: Call) -> Wire:
    row = call.named("product")
    if call.account.table("price").having("product", row["id"]):
        raise conflict_of_state("This product cannot be deleted because it has one or more user-created prices.")
    call.account.emit("product.deleted", row)
    return call.account.delete(row)


def list_products(call: Call) -> Wire:
    ids, active = call.get("ids"), call.get("active")
    if ids is not None and "starting_after" not in call.params and "ending_before" not in call.params:
        rows = call.account.table("product").rows
        found = [rows[id] for id in ids if id in rows and active in (None, rows[id]["active"])]
        return {"object": "list", "data": found, "has_more": False, "url": "/v1/products"}
    return page(
        call.account.table("product"),
        "/v1/products",
        call.params,
        keep=lambda row: active in (None, row["active"]) and (ids is None or row["id"] in ids),
    )


OPERATIONS = (
    Operation("POST", "/v1/products", create, _FIELDS | {"id": text(255), "name": Required(text(unset=False))}),
    Operation("POST", "/v1/products/{id}", update, _FIELDS | {"name": text(unset=False), "default_price": text()}),
    Operation("DELETE", "/v1/products/{id}", delete, {}),
    Operation(
        "GET", "/v1/products", list_products, PAGE | {"active": boolean, "created": ranged, "ids": array(text(unset=False))}
    ),
    retrieve("/v1/products/{id}", "product"),
    search("/v1/products/search", "product"),
)
