"""An invoice's life: draft, open, paid, void or uncollectible, with its payment, and the events on the way."""

from collections.abc import Sequence
from typing import Any

from sandbox.stripe import collecting, errors, rating
from sandbox.stripe.account import Account
from sandbox.stripe.periods import DAY
from sandbox.stripe.wire import Wire, listing

PAGE = 10  # lines that the invoice object itself shows
DRAFT_SECONDS = 3600  # an automatic invoice stays a draft this long

# what a new invoice has as zero and as null
_ZERO = (
    "amount_overpaid", "amount_paid", "amount_paid_off_stripe", "amount_shipping", "attempt_count",
    "post_payment_credit_notes_amount", "pre_payment_credit_notes_amount",
)  # fmt: skip
_NULL = (
    "account_tax_ids", "application", "confirmation_secret", "custom_fields", "customer_account", "default_payment_method",
    "default_source", "description", "effective_at", "ending_balance", "footer", "from_invoice", "hosted_invoice_url",
    "invoice_pdf", "last_finalization_error", "latest_revision", "next_payment_attempt", "number", "on_behalf_of",
    "receipt_number", "rendering", "shipping_cost", "shipping_details", "statement_descriptor", "test_clock",
    "threshold_reason", "webhooks_delivered_at",
)  # fmt: skip


def draft(account: Account, customer: Wire, lines: Sequence[Wire], reason: str, terms: Wire, *, preview: bool = False) -> Wire:
    """A draft with these lines; a preview is built alike but stored nowhere and emits nothing.

    `terms`: collection_method, days_until_due, currency, period, and for a subscription's invoice the subscription.
    """
    now, id = account.now(), account.new_id("upcoming_in" if preview else "in")
    subscription: Wire | None = terms.get("subscription")
    invoice = _blank(account, id, customer, terms, now) | {
        "billing_reason": reason,
        "parent": _parent(subscription),
        "period_start": terms["period"][0],
        "period_end": terms["period"][1],
    }
    _set_lines(account, invoice, [entry | {"invoice": id} for entry in lines], keep=not preview)
    if not preview:
        account.save(invoice)
        account.emit("invoice.created", invoice)
    return invoice


def _parent(subscription: Wire | None) -> Wire | None:
    if subscription is None:
        return None
    details = {
        "metadata": dict(subscription["metadata"]),
        "subscription": subscription["id"],
        "subscription_proration_date": None,
    }
    return {"type": "subscription_details", "subscription_details": details, "quote_details": None}


def _set_lines(account: Account, invoice: Wire, lines: list[Wire], *, keep: bool) -> None:
    invoice["lines"] = listing(f"/v1/invoices/{invoice['id']}/lines", lines[:PAGE], len(lines) > PAGE)
    invoice |= rating.totals(lines)
    due = max(0, invoice["total"])
    invoice |= {"amount_due": due, "amount_remaining": due}
    if keep:
        account.invoice_lines[invoice["id"]] = lines


def _blank(account: Account, id: str, customer: Wire, terms: Wire, now: int) -> Wire:
    days = terms["days_until_due"] if terms["collection_method"] == "send_invoice" else None
    automatic: bool = terms.get("automatic_tax", False)
    tax = {"enabled": automatic, "status": "complete" if automatic else None}
    return dict.fromkeys(_ZERO, 0) | dict.fromkeys(_NULL) | {
        "id": id,
        "object": "invoice",
        "account_country": "US",
        "account_name": "Lumen Works Inc",
        "attempted": False,
        "auto_advance": True,
        "automatic_tax": tax | {"disabled_reason": None, "liability": {"type": "self"} if automatic else None, "provider": None},
        "automatically_finalizes_at": now + DRAFT_SECONDS,
        "collection_method": terms["collection_method"],
        "created": now,
        "currency": terms["currency"],
        "customer": customer["id"],
        "customer_address": customer["address"],
        "customer_email": customer["email"],
        "customer_name": customer["name"],
        "customer_phone": customer["phone"],
        "customer_shipping": customer["shipping"],
        "customer_tax_exempt": customer["tax_exempt"],
        "customer_tax_ids": [{"type": t["type"], "value": t["value"]} for t in account.tax_ids.get(customer["id"], ())],
        "default_tax_rates": list(terms.get("default_tax_rates", ())),
        "discounts": [],
        "due_date": None if days is None else now + days * DAY,
        "issuer": {"type": "self"},
        "livemode": False,
        "metadata": {},
        "payment_settings": {"default_mandate": None, "payment_method_options": None, "payment_method_types": None},
        "starting_balance": customer["balance"],
        "status": "draft",
        "status_transitions": dict.fromkeys(("finalized_at", "marked_uncollectible_at", "paid_at", "voided_at")),
        "total_discount_amounts": [],
        "total_pretax_credit_amounts": [],
    }  # fmt: skip


def finalize(account: Account, invoice: Wire) -> Wire:
    """Draft to open: a number, a due date, the customer's balance applied, a payment to wait for; nothing due is paid at once."""
    if invoice["status"] != "draft":
        raise not_editable(invoice, "This invoice is already finalized, you can't re-finalize a non-draft invoice.")
    now, customer = account.now(), account.table("customer").rows.get(invoice["customer"])
    if invoice["due_date"] is not None:
        invoice["due_date"] += now - invoice["created"]
    _number(account, invoice, customer)
    _apply_balance(account, invoice, customer)
    url = f"https://invoice.stripe.com/i/acct_sandbox/{invoice['id']}"
    invoice |= {
        "status": "open",
        "automatically_finalizes_at": None,
        "effective_at": invoice["effective_at"] or now,
        "status_transitions": invoice["status_transitions"] | {"finalized_at": now},
        "hosted_invoice_url": url,
        "invoice_pdf": f"{url}/pdf",
    }
    account.save(invoice)
    account.emit("invoice.finalized", invoice)
    if invoice["amount_due"] == 0:
        return collecting.paid(account, invoice)
    collecting.await_payment(account, invoice)
    return invoice


def _number(account: Account, invoice: Wire, customer: Wire | None) -> None:
    if customer is None:
        invoice["number"] = f"DELETED-{account.new_id('number')[-4:]}"
        return
    invoice["number"] = invoice["number"] or f"{customer['invoice_prefix']}-{customer['next_invoice_sequence']:04d}"
    customer["next_invoice_sequence"] += 1


def _apply_balance(account: Account, invoice: Wire, customer: Wire | None) -> None:
    """A credit on the customer is used up first; a negative total becomes credit."""
    balance = customer["balance"] if customer else 0
    wanted = invoice["total"] + balance
    due = max(0, wanted)
    ending = min(0, wanted)
    invoice |= {"starting_balance": balance, "ending_balance": ending, "amount_due": due, "amount_remaining": due}
    if customer and customer["balance"] != ending:
        account.update(customer, {"balance": ending}, "customer.updated")


def close(account: Account, invoice: Wire, status: str, transition: str, event: str) -> Wire:
    """Open to void or uncollectible."""
    if invoice["status"] not in ("open", "uncollectible") or invoice["status"] == status:
        message = f"You can only pass in open invoices. This invoice isn't open: it is {invoice['status']}."
        raise errors.conflict_of_state(message, "status_transition_invalid")
    transitions: dict[str, Any] = invoice["status_transitions"] | {transition: account.now()}
    invoice |= {"status": status, "status_transitions": transitions}
    if status == "void":
        collecting.cancel_payments(account, invoice, "void_invoice")
    account.save(invoice)
    account.emit(event, invoice)
    return invoice


def not_editable(invoice: Wire, message: str) -> errors.Refused:
    return errors.conflict_of_state(f"{message} Its status is {invoice['status']}.", "invoice_not_editable")
