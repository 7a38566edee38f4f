"""Payments of invoices: intents, charges and what being paid means; the events follow the money."""

from sandbox.stripe.account import Account
from sandbox.stripe.errors import card_declined
from sandbox.stripe.wire import Wire

DECLINED = frozenset({"pm_card_chargeDeclined"})
_INTENT_NULL = (
    "application", "application_fee_amount", "automatic_payment_methods", "canceled_at", "cancellation_reason",
    "customer_account", "last_payment_error", "latest_charge", "next_action", "on_behalf_of", "payment_method",
    "payment_method_configuration_details", "processing", "receipt_email", "review", "setup_future_usage", "shipping", "source",
    "statement_descriptor", "statement_descriptor_suffix", "transfer_data", "transfer_group",
)  # fmt: skip
_CHARGE_NULL = (
    "application", "application_fee", "application_fee_amount", "balance_transaction", "calculated_statement_descriptor",
    "description", "failure_balance_transaction", "on_behalf_of", "outcome", "receipt_email", "receipt_number", "receipt_url",
    "review", "shipping", "source", "source_transfer", "statement_descriptor", "transfer_data", "transfer_group",
)  # fmt: skip


def await_payment(account: Account, invoice: Wire) -> None:
    now = account.now()
    intent: Wire = _intent(account, invoice, now)
    account.save(intent)
    account.emit("payment_intent.created", intent)
    account.save(
        {
            "id": account.new_id("inpay"),
            "object": "invoice_payment",
            "amount_paid": None,
            "amount_requested": invoice["amount_due"],
            "created": now,
            "currency": invoice["currency"],
            "invoice": invoice["id"],
            "is_default": True,
            "livemode": False,
            "payment": {"type": "payment_intent", "payment_intent": intent["id"]},
            "status": "open",
            "status_transitions": {"canceled_at": None, "paid_at": None},
        }
    )


def _intent(account: Account, invoice: Wire, now: int) -> Wire:
    id = account.new_id("pi")
    return dict.fromkeys(_INTENT_NULL) | {
        "id": id,
        "object": "payment_intent",
        "amount": invoice["amount_due"],
        "amount_capturable": 0,
        "amount_received": 0,
        "capture_method": "automatic",
        "client_secret": f"{id}_secret_sandbox",
        "confirmation_method": "automatic",
        "created": now,
        "currency": invoice["currency"],
        "customer": invoice["customer"],
        "description": "Subscription creation" if invoice["billing_reason"] == "subscription_create" else "Subscription update",
        "livemode": False,
        "metadata": {},
        "payment_method_options": {},
        "payment_method_types": ["card"],
        "status": "requires_payment_method",
    }


def collect(account: Account, invoice: Wire, method: str) -> bool:
    """Charges a payment method for what remains; False when it was declined."""
    [payment] = _open_payments(account, invoice)
    intent = account.table("payment_intent").rows[payment["payment"]["payment_intent"]]
    declined, amount = method in DECLINED, invoice["amount_remaining"]
    charge = account.save(_charge(account, invoice, intent, method, amount, declined))
    invoice |= {"attempted": True, "attempt_count": invoice["attempt_count"] + 1}
    if declined:
        error = card_declined().error
        account.update(intent, {"last_payment_error": error, "latest_charge": charge["id"], "payment_method": None})
        account.save(invoice)
        account.emit("charge.failed", charge)
        account.emit("payment_intent.payment_failed", intent)
        account.emit("invoice.payment_failed", invoice)
        return False
    received = {"status": "succeeded", "amount": amount, "amount_received": amount, "last_payment_error": None}
    account.update(intent, received | {"latest_charge": charge["id"], "payment_method": method})
    account.emit("charge.succeeded", charge)
    account.emit("payment_intent.succeeded", intent)
    transitions = payment["status_transitions"] | {"paid_at": account.now()}
    account.update(payment, {"status": "paid", "amount_paid": amount, "status_transitions": transitions})
    account.emit("invoice_payment.paid", payment)
    invoice["amount_paid"] += amount
    paid(account, invoice)
    return True


def _open_payments(account: Account, invoice: Wire) -> list[Wire]:
    return [p for p in account.table("invoice_payment").having("invoice", invoice["id"]) if p["status"] == "open"]


def _charge(account: Account, invoice: Wire, intent: Wire, method: str, amount: int, declined: bool) -> Wire:
    return dict.fromkeys(_CHARGE_NULL) | {
        "id": account.new_id("ch"),
        "object": "charge",
        "amount": amount,
        "amount_captured": 0 if declined else amount,
        "amount_refunded": 0,
        "billing_details": {"address": invoice["customer_address"], "email": None, "name": None, "phone": None, "tax_id": None},
        "captured": not declined,
        "created": account.now(),
        "currency": invoice["currency"],
        "customer": invoice["customer"],
        "disputed": False,
        "failure_code": "card_declined" if declined else None,
        "failure_message": "Your card was declined." if declined else None,
        "fraud_details": {},
        "livemode": False,
        "metadata": {},
        "paid": not declined,
        "payment_intent": intent["id"],
        "payment_method": method,
        "payment_method_details": {"type": "card", "card": {"brand": "visa", "last4": "0002" if declined else "4242"}},
        "refunded": False,
        "status": "failed" if declined else "succeeded",
    }


def pay_out_of_band(account: Account, invoice: Wire) -> Wire:
    """Settled by other means: no charge, and the payment that was awaited is given up."""
    cancel_payments(account, invoice, None)
    invoice |= {"amount_paid_off_stripe": invoice["amount_remaining"], "amount_paid": invoice["amount_due"]}
    return paid(account, invoice)


def cancel_payments(account: Account, invoice: Wire, reason: str | None) -> None:
    now = account.now()
    for payment in _open_payments(account, invoice):
        account.update(payment, {"status": "canceled", "status_transitions": {"canceled_at": now, "paid_at": None}})
        intent = account.table("payment_intent").rows[payment["payment"]["payment_intent"]]
        account.update(intent, {"status": "canceled", "canceled_at": now, "cancellation_reason": reason})
        account.emit("payment_intent.canceled", intent)


def settle_by_credit(account: Account, invoice: Wire) -> Wire:
    """An open invoice of which credit notes left nothing counts as paid."""
    cancel_payments(account, invoice, "automatic")
    return paid(account, invoice)


def paid(account: Account, invoice: Wire) -> Wire:
    transitions = invoice["status_transitions"] | {"paid_at": account.now()}
    invoice |= {"status": "paid", "amount_remaining": 0, "next_payment_attempt": None, "status_transitions": transitions}
    account.save(invoice)
    account.emit("invoice.paid", invoice)
    account.emit("invoice.payment_succeeded", invoice)
    _revive(account, invoice)
    return invoice


def _revive(account: Account, invoice: Wire) -> None:
    """A subscription that waited for this payment becomes active."""
    details: Wire = (invoice["parent"] or {}).get("subscription_details") or {}
    subscription = account.table("subscription").rows.get(details.get("subscription", ""))
    if subscription and subscription["status"] in ("incomplete", "past_due"):
        account.update(subscription, {"status": "active"}, "customer.subscription.updated")
