"""Money that moved: `/v1/invoice_payments`, `/v1/payment_intents`, `/v1/charges` to read, `/v1/refunds` to create."""

from typing import Any

from sandbox.stripe.account import Account, Call
from sandbox.stripe.errors import conflict_of_state, missing
from sandbox.stripe.lists import page
from sandbox.stripe.parameters import (
    EXPAND,
    PAGE,
    Required,
    Shape,
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

_ID = text(unset=False)


def list_invoice_payments(call: Call) -> Wire:
    intent = call.get("payment", {}).get("payment_intent")
    equal = {"invoice": call.get("invoice"), "payment_intent": intent}
    status = call.get("status")
    rows = call.account.table("invoice_payment")
    return page(rows, "/v1/invoice_payments", call.params, equal, lambda row: status in (None, row["status"]))


def list_intents(call: Call) -> Wire:
    return page(call.account.table("payment_intent"), "/v1/payment_intents", call.params, {"customer": call.get("customer")})


def list_charges(call: Call) -> Wire:
    equal = {k: call.get(k) for k in ("customer", "payment_intent")}
    return page(call.account.table("charge"), "/v1/charges", call.params, equal)


def list_refunds(call: Call) -> Wire:
    equal = {k: call.get(k) for k in ("charge", "payment_intent")}
    return page(call.account.table("refund"), "/v1/refunds", call.params, equal)


def create_refund(call: Call) -> Wire:
    account, params = call.account, call.params
    charge = _charge(account, params)
    amount = params.get("amount", charge["amount"] - charge["amount_refunded"])
    return refund(account, charge, amount, params.get("reason"), changed_metadata({}, params.get("metadata", {})))


def _charge(account: Account, params: dict[str, Any]) -> Wire:
    if "charge" in params:
        return account.find("charge", params["charge"], "charge")
    if "payment_intent" not in params:
        raise missing("payment_intent")
    intent = account.find("payment_intent", params["payment_intent"], "payment_intent")
    if intent["status"] != "succeeded":
        message = f"This PaymentIntent ({intent['id']}) does not have a successful charge to refund."
        raise conflict_of_state(message, "payment_intent_unexpected_state", "payment_intent")
    return account.table("charge").rows[intent["latest_charge"]]


def check_refundable(charge: Wire, amount: int) -> None:
    """Raises Refused when a charge did not succeed, was given back, or has less left than the amount."""
    left = charge["amount_captured"] - charge["amount_refunded"]
    if charge["status"] != "succeeded":
        raise conflict_of_state("You cannot refund a charge that did not succeed.", "charge_not_refundable", "charge")
    if left == 0:
        raise conflict_of_state(f"Charge {charge['id']} has already been refunded.", "charge_already_refunded")
    if amount > left:
        message = f"Refund amount ({amount}) is greater than unrefunded amount on charge ({left})"
        raise conflict_of_state(message, param="amount")


def refund(account: Account, charge: Wire, amount: int, reason: str | None, notes: dict[str, str]) -> Wire:
    """Gives money back from a charge; it succeeds at once."""
    check_refundable(charge, amount)
    null = (
        "balance_transaction", "customer_account", "destination_details", "failure_balance_transaction", "failure_reason",
        "next_action", "payment_method", "pending_reason", "receipt_number", "source_transfer_reversal", "transfer_reversal",
    )  # fmt: skip
    row: Wire = dict.fromkeys(null) | {
        "id": account.new_id("re"),
        "object": "refund",
        "amount": amount,
        "charge": charge["id"],
        "created": account.now(),
        "currency": charge["currency"],
        "customer": charge["customer"],
        "metadata": notes,
        "payment_intent": charge["payment_intent"],
        "reason": reason,
        "status": "succeeded",
    }
    account.save(row)
    refunded = charge["amount_refunded"] + amount
    account.update(charge, {"amount_refunded": refunded, "refunded": refunded == charge["amount"]})
    account.emit("refund.created", row)
    account.emit("charge.refunded", charge)
    return row


def update_refund(call: Call) -> Wire:
    row = call.named("refund", "refund")
    if "metadata" not in call.params:
        return row
    changes = {"metadata": changed_metadata(row["metadata"], call.params["metadata"])}
    return call.account.update(row, changes, "refund.updated")


_PAYMENT: Shape = {"payment_intent": _ID, "type": Required(choice("payment_intent"))}
_REFUND: Shape = EXPAND | {
    "amount": integer(1),
    "charge": _ID,
    "metadata": metadata,
    "payment_intent": _ID,
    "reason": choice("duplicate", "fraudulent", "requested_by_customer"),
}
_SINCE: Shape = PAGE | {"created": ranged}
OPERATIONS = (
    Operation(
        "GET",
        "/v1/invoice_payments",
        list_invoice_payments,
        _SINCE | {"invoice": _ID, "payment": group(_PAYMENT), "status": choice("canceled", "open", "paid")},
    ),
    retrieve("/v1/invoice_payments/{invoice_payment}", "invoice_payment"),
    Operation("GET", "/v1/payment_intents", list_intents, _SINCE | {"customer": _ID}),
    retrieve("/v1/payment_intents/{intent}", "payment_intent"),
    search("/v1/payment_intents/search", "payment_intent"),
    Operation("GET", "/v1/charges", list_charges, _SINCE | {"customer": _ID, "payment_intent": _ID}),
    retrieve("/v1/charges/{charge}", "charge"),
    Operation("POST", "/v1/refunds", create_refund, _REFUND),
    Operation("POST", "/v1/refunds/{refund}", update_refund, EXPAND | {"metadata": metadata}),
    Operation("GET", "/v1/refunds", list_refunds, _SINCE | {"charge": _ID, "payment_intent": _ID}),
    retrieve("/v1/refunds/{refund}", "refund"),
)
