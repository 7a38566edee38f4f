"""Customers: `/v1/customers`, found by id, by exact email, or by search."""

import hashlib

from sandbox.stripe.account import Call
from sandbox.stripe.errors import conflict_of_state, invalid
from sandbox.stripe.lists import page, slice_of
from sandbox.stripe.parameters import (
    ADDRESS,
    EXPAND,
    PAGE,
    Required,
    Shape,
    array,
    boolean,
    changed_metadata,
    choice,
    group,
    integer,
    metadata,
    ranged,
    text,
)
from sandbox.stripe.resources.reading import retrieve, search
from sandbox.stripe.routing import Operation
from sandbox.stripe.wire import Wire

# the payment methods that exist without being created: the vendor's own test values
PAYMENT_METHODS = frozenset({"pm_card_visa", "pm_card_mastercard", "pm_usBankAccount_success", "pm_card_chargeDeclined"})

_SHIPPING: Shape = {"address": Required(group(ADDRESS)), "name": Required(text(unset=False)), "phone": text()}
_FIELDS: Shape = EXPAND | {
    "address": group(ADDRESS, unset=True),
    "balance": integer(),
    "business_name": text(150),
    "description": text(),
    "email": text(512),
    "individual_name": text(150),
    "invoice_prefix": text(12, unset=False),
    "invoice_settings": group({"default_payment_method": text(), "footer": text()}),
    "metadata": metadata,
    "name": text(256),
    "next_invoice_sequence": integer(1),
    "phone": text(20),
    "preferred_locales": array(text(unset=False)),
    "shipping": group(_SHIPPING, unset=True),
    "tax_exempt": choice("exempt", "none", "reverse", unset=True),
    "validate": boolean,
}
_TAX_ID: Shape = {"type": Required(text(unset=False)), "value": Required(text(unset=False))}
_CREATED: Shape = _FIELDS | {"payment_method": text(unset=False), "tax_id_data": array(group(_TAX_ID), 5)}


def create(call: Call) -> Wire:
    account, id = call.account, call.account.new_id("cus")
    row: Wire = {
        "id": id,
        "object": "customer",
        "address": None,
        "balance": 0,
        "created": account.now(),
        "currency": None,
        "default_source": None,
        "delinquent": False,
        "description": None,
        "discount": None,
        "email": None,
        "invoice_prefix": hashlib.sha256(id.encode()).hexdigest()[:8].upper(),
        "invoice_settings": {"custom_fields": None, "default_payment_method": None, "footer": None, "rendering_options": None},
        "livemode": False,
        "metadata": {},
        "name": None,
        "next_invoice_sequence": 1,
        "phone": None,
        "preferred_locales": [],
        "shipping": None,
        "tax_exempt": "none",
        "test_clock": None,
    }
    method = call.params.pop("payment_method", None)
    tax_ids = call.params.pop("tax_id_data", [])
    row |= _changes(row, call)
    if method:
        row["invoice_settings"] = row["invoice_settings"] | {"default_payment_method": _known_method(method, "payment_method")}
    account.tax_ids[id] = [_tax_id(call, row, one) for one in tax_ids]
    account.save(row)
    account.emit("customer.created", row)
    return row


def _tax_id(call: Call, customer: Wire, given: dict[str, str]) -> Wire:
    return {
        "id": call.account.new_id("txi"),
        "object": "tax_id",
        "country": given["value"][:2] if given["type"] == "eu_vat" else given["type"][:2].upper(),
        "created": call.account.now(),
        "customer": customer["id"],
        "livemode": False,
        "owner": {"type": "customer", "customer": customer["id"]},
        "verification": {"status": "unavailable", "verified_address": None, "verified_name": None},
        **given,
    }


def add_tax_id(call: Call) -> Wire:
    customer = call.named("customer", "customer")
    row = _tax_id(call, customer, call.params)
    call.account.tax_ids[customer["id"]].append(row)
    return row


def list_tax_ids(call: Call) -> Wire:
    customer = call.named("customer", "customer")
    return slice_of(call.account.tax_ids[customer["id"]][::-1], f"/v1/customers/{customer['id']}/tax_ids", call.params)


def _changes(row: Wire, call: Call) -> Wire:
    """The fields that a request changes, in the form in which they are stored."""
    changes = {k: v for k, v in call.params.items() if k not in ("validate", "metadata", "invoice_settings")}
    email = changes.get("email")
    if email is not None and "@" not in email:
        raise invalid(f"Invalid email address: {email}", "email", "email_invalid")
    if "metadata" in call.params:
        changes["metadata"] = changed_metadata(row["metadata"], call.params["metadata"])
    if "invoice_settings" in call.params:
        settings = call.params["invoice_settings"]
        _known_method(settings.get("default_payment_method"), "invoice_settings[default_payment_method]")
        changes["invoice_settings"] = row["invoice_settings"] | settings
    if changes.get("address"):
        changes["address"] = {part: changes["address"].get(part, (row["address"] or {}).get(part)) for part in ADDRESS}
    if changes.get("shipping"):
        address = {part: changes["shipping"]["address"].get(part) for part in ADDRESS}
        changes["shipping"] = {"phone": None} | changes["shipping"] | {"address": address}
    if "tax_exempt" in changes:
        changes["tax_exempt"] = changes["tax_exempt"] or "none"
    return changes


def _known_method(method: str | None, param: str) -> str | None:
    if method is not None and method not in PAYMENT_METHODS:
        raise invalid(f"No such PaymentMethod: '{method}'", param, "resource_missing")
    return method


def update(call: Call) -> Wire:
    row = call.named("customer", "customer")
    return call.account.update(row, _changes(row, call), "customer.updated")


def delete(call: Call) -> Wire:
    """Deletes a customer and cancels what is subscribed; invoices stay."""
    account, row = call.account, call.named("customer", "customer")
    for subscription in account.table("subscription").having("customer", row["id"]):
        if subscription["status"] not in ("canceled", "incomplete_expired"):
            now = account.now()
            account.update(subscription, {"status": "canceled", "canceled_at": now, "ended_at": now})
            account.emit("customer.subscription.deleted", subscription)
    account.emit("customer.deleted", row)
    return account.delete(row)


def list_customers(call: Call) -> Wire:
    return page(call.account.table("customer"), "/v1/customers", call.params, {"email": call.get("email")})


def check_currency(customer: Wire, currency: str) -> None:
    """A customer's first document fixes its currency. Raises Refused for a document in another one."""
    if customer["currency"] not in (None, currency):
        message = (
            "You cannot combine currencies on a single customer. This customer has a subscription, invoice or balance "
            f"with currency {customer['currency']}."
        )
        raise conflict_of_state(message, param="currency")


OPERATIONS = (
    Operation("POST", "/v1/customers", create, _CREATED),
    Operation("POST", "/v1/customers/{customer}", update, _FIELDS),
    Operation("DELETE", "/v1/customers/{customer}", delete, {}),
    Operation("GET", "/v1/customers", list_customers, PAGE | {"created": ranged, "email": text(unset=False)}),
    Operation("POST", "/v1/customers/{customer}/tax_ids", add_tax_id, EXPAND | _TAX_ID),
    Operation("GET", "/v1/customers/{customer}/tax_ids", list_tax_ids, PAGE),
    retrieve("/v1/customers/{customer}", "customer"),
    search("/v1/customers/search", "customer"),
)
