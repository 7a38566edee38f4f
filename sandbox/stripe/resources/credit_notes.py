"""Credit notes: `/v1/credit_notes`. What is still open is reduced first, the rest is refunded, credited or settled elsewhere."""

from typing import Any

from sandbox.stripe import collecting, crediting
from sandbox.stripe.account import Account, Call
from sandbox.stripe.errors import conflict_of_state
from sandbox.stripe.lists import page, slice_of
from sandbox.stripe.parameters import (
    EXPAND,
    PAGE,
    Required,
    Shape,
    array,
    changed_metadata,
    choice,
    decimal,
    group,
    integer,
    metadata,
    ranged,
    text,
)
from sandbox.stripe.resources.payments import check_refundable, refund
from sandbox.stripe.resources.reading import retrieve
from sandbox.stripe.routing import Operation
from sandbox.stripe.wire import Wire

_ID = text(unset=False)


def create(call: Call) -> Wire:
    account, params = call.account, call.params
    invoice = account.find("invoice", params["invoice"], "invoice")
    note = crediting.note(account, invoice, params)
    charge = _charge(account, invoice, params)
    if params.get("credit_amount"):
        account.find("customer", invoice["customer"], "invoice")
    before = len(account.table("credit_note").having("invoice", invoice["id"]))
    note["number"] = f"{invoice['number']}-CN-{before + 1:02d}"
    if charge is not None:
        given_back = refund(account, charge, params["refund_amount"], "requested_by_customer", {})
        note["refunds"] = [_refund_entry(given_back)]
    _settle(account, invoice, note, params)
    account.save(note)
    account.emit("credit_note.created", note)
    _apply(account, invoice, note, +1)
    return note


def preview(call: Call) -> Wire:
    invoice = call.account.find("invoice", call.params["invoice"], "invoice")
    return crediting.note(call.account, invoice, call.params)


def _charge(account: Account, invoice: Wire, params: dict[str, Any]) -> Wire | None:
    """The charge that `refund_amount` comes from; refunds that exist already are checked as well."""
    for n, one in enumerate(params.get("refunds") or []):
        account.find("refund", one.get("refund", ""), f"refunds[{n}][refund]")
    if not params.get("refund_amount"):
        return None
    for payment in account.table("invoice_payment").having("invoice", invoice["id"]):
        if payment["status"] == "paid":
            intent = account.table("payment_intent").rows[payment["payment"]["payment_intent"]]
            charge = account.table("charge").rows[intent["latest_charge"]]
            check_refundable(charge, params["refund_amount"])
            return charge
    raise conflict_of_state("The invoice has no payment to refund.", param="refund_amount")


def _refund_entry(row: Wire, amount: int | None = None) -> Wire:
    return {
        "amount_refunded": row["amount"] if amount is None else amount,
        "payment_record_refund": None,
        "refund": row["id"],
        "type": "refund",
    }


def _settle(account: Account, invoice: Wire, note: Wire, params: dict[str, Any]) -> None:
    """Links refunds that exist and credits the customer's balance."""
    for one in params.get("refunds") or []:
        note["refunds"].append(_refund_entry(account.table("refund").rows[one["refund"]], one.get("amount_refunded")))
    if params.get("credit_amount"):
        customer = account.find("customer", invoice["customer"], "invoice")
        account.update(customer, {"balance": customer["balance"] - params["credit_amount"]}, "customer.updated")
        note["customer_balance_transaction"] = account.new_id("cbtxn")


def _apply(account: Account, invoice: Wire, note: Wire, sign: int) -> None:
    """Counts a note in its invoice, or takes it out again."""
    for name in ("pre_payment", "post_payment"):
        invoice[f"{name}_credit_notes_amount"] += sign * note[f"{name}_amount"]
    previous = {"amount_remaining": invoice["amount_remaining"]}
    invoice["amount_remaining"] -= sign * note["pre_payment_amount"]
    invoice["amount_due"] -= sign * note["pre_payment_amount"]
    for payment in account.table("invoice_payment").having("invoice", invoice["id"]):
        if payment["status"] == "open":
            account.update(payment, {"amount_requested": invoice["amount_remaining"]})
    account.save(invoice)
    account.emit("invoice.updated", invoice, previous)
    if invoice["status"] == "open" and invoice["amount_remaining"] == 0:
        collecting.settle_by_credit(account, invoice)


def void(call: Call) -> Wire:
    """Takes a note back, as long as its invoice is open."""
    account, note = call.account, call.named("credit_note")
    invoice = account.table("invoice").rows[note["invoice"]]
    if note["status"] == "void" or invoice["status"] != "open":
        raise conflict_of_state("You can only void an issued credit note whose invoice is open.", "status_transition_invalid")
    account.update(note, {"status": "void", "voided_at": account.now()})
    account.emit("credit_note.voided", note)
    _apply(account, invoice, note, -1)
    return note


def update(call: Call) -> Wire:
    row, changes = call.named("credit_note"), dict(call.params)
    if "metadata" in changes:
        changes["metadata"] = changed_metadata(row["metadata"], changes["metadata"])
    return call.account.update(row, changes, "credit_note.updated")


def list_notes(call: Call) -> Wire:
    equal = {k: call.get(k) for k in ("customer", "invoice")}
    return page(call.account.table("credit_note"), "/v1/credit_notes", call.params, equal)


def list_lines(call: Call) -> Wire:
    row = call.named("credit_note", "credit_note")
    return slice_of(row["lines"]["data"], row["lines"]["url"], call.params)


_LINE: Shape = {
    "amount": integer(0),
    "description": _ID,
    "invoice_line_item": _ID,
    "metadata": metadata,
    "quantity": integer(1),
    "tax_rates": array(_ID, 5),
    "type": Required(choice("custom_line_item", "invoice_line_item")),
    "unit_amount": integer(0),
    "unit_amount_decimal": decimal,
}
_CREATED: Shape = EXPAND | {
    "amount": integer(1),
    "credit_amount": integer(0),
    "effective_at": integer(0),
    "email_type": choice("credit_note", "none"),
    "invoice": Required(_ID),
    "lines": array(group(_LINE), 250),
    "memo": text(),
    "metadata": metadata,
    "out_of_band_amount": integer(0),
    "reason": choice("duplicate", "fraudulent", "order_change", "product_unsatisfactory"),
    "refund_amount": integer(0),
    "refunds": array(group({"amount_refunded": integer(0), "refund": _ID, "type": choice("refund")}), 20),
}
OPERATIONS = (
    Operation("POST", "/v1/credit_notes", create, _CREATED),
    Operation("GET", "/v1/credit_notes/preview", preview, _CREATED),
    Operation("POST", "/v1/credit_notes/{id}", update, EXPAND | {"memo": text(), "metadata": metadata}),
    Operation("POST", "/v1/credit_notes/{id}/void", void, EXPAND),
    Operation("GET", "/v1/credit_notes", list_notes, PAGE | {"created": ranged, "customer": _ID, "invoice": _ID}),
    Operation("GET", "/v1/credit_notes/{credit_note}/lines", list_lines, PAGE),
    retrieve("/v1/credit_notes/{id}", "credit_note"),
)
