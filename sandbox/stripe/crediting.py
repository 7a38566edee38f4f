"""What a credit note says: its lines, their tax, and how much of it falls on what is still open. Nothing is stored here."""

from decimal import Decimal
from typing import Any

from sandbox.stripe import rating
from sandbox.stripe.account import Account
from sandbox.stripe.errors import conflict_of_state, invalid, missing
from sandbox.stripe.parameters import changed_metadata
from sandbox.stripe.wire import Wire, listing

_SETTLED = ("refund_amount", "credit_amount", "out_of_band_amount")


def note(account: Account, invoice: Wire, params: dict[str, Any]) -> Wire:
    """The note that the parameters describe. Raises Refused unless its parts fit each other and the invoice."""
    if invoice["status"] not in ("open", "paid", "uncollectible"):
        message = f"You can only create credit notes for finalized invoices; this one is {invoice['status']}."
        raise conflict_of_state(message, param="invoice")
    if not params.get("lines") and "amount" not in params:
        raise missing("lines")
    id = account.new_id("cn")
    lines = [_line(account, invoice, one, n) for n, one in enumerate(params.get("lines") or [])]
    sums = rating.totals(lines) if lines else _plain(params["amount"])
    if lines and "amount" in params and params["amount"] != sums["total"]:
        message = f"The sum of the credit note lines ({sums['total']}) must equal the amount ({params['amount']})."
        raise invalid(message, "amount")
    total = sums["total"]
    _within(invoice, total)
    before = min(total, invoice["amount_remaining"])
    _covers(total - before, params)
    return _row(account, invoice, params, id, lines, sums, before)


def _row(
    account: Account, invoice: Wire, params: dict[str, Any], id: str, lines: list[Wire], sums: dict[str, Any], before: int
) -> Wire:
    """`before`: how much of the note falls on what was still to be paid."""
    total = sums["total"]
    null = ("customer_account", "customer_balance_transaction", "shipping_cost", "voided_at")
    return dict.fromkeys(null) | sums | {
        "id": id,
        "object": "credit_note",
        "amount": total,
        "amount_shipping": 0,
        "created": account.now(),
        "currency": invoice["currency"],
        "customer": invoice["customer"],
        "discount_amount": 0,
        "discount_amounts": [],
        "effective_at": params.get("effective_at", account.now()),
        "invoice": invoice["id"],
        "lines": listing(f"/v1/credit_notes/{id}/lines", lines),
        "livemode": False,
        "memo": params.get("memo"),
        "metadata": changed_metadata({}, params.get("metadata", {})),
        "number": f"{invoice['number']}-CN-00",
        "out_of_band_amount": params.get("out_of_band_amount"),
        "pdf": f"https://pay.stripe.com/credit_notes/acct_sandbox/{id}/pdf",
        "post_payment_amount": total - before,
        "pre_payment_amount": before,
        "pretax_credit_amounts": [],
        "reason": params.get("reason"),
        "refunds": [],
        "status": "issued",
        "type": "pre_payment" if before == total else "mixed" if before else "post_payment",
    }  # fmt: skip


def _plain(amount: int) -> dict[str, Any]:
    sums = dict.fromkeys(("subtotal", "subtotal_excluding_tax", "total", "total_excluding_tax"), amount)
    return sums | {"total_taxes": []}


def _within(invoice: Wire, total: int) -> None:
    left = invoice["total"] - invoice["pre_payment_credit_notes_amount"] - invoice["post_payment_credit_notes_amount"]
    if total > left:
        message = f"The credit note total ({total}) exceeds what is left to credit on the invoice ({left})."
        raise conflict_of_state(message, param="amount")


def _covers(excess: int, params: dict[str, Any]) -> None:
    """What exceeds the open amount has to go somewhere, to the cent."""
    refunds = sum(one.get("amount_refunded", 0) for one in params.get("refunds") or [])
    settled = refunds + sum(params.get(name, 0) for name in _SETTLED)
    if settled != excess:
        message = (
            "The sum of refunds, refund_amount, credit_amount and out_of_band_amount "
            f"({settled}) must equal the post-payment amount of the credit note ({excess})."
        )
        raise invalid(message, "refund_amount")


def _line(account: Account, invoice: Wire, one: dict[str, Any], n: int) -> Wire:
    if one["type"] == "invoice_line_item":
        source = _source(account, invoice, one, n)
        ids = [entry["tax_rate_details"]["tax_rate"] for entry in source["taxes"] or ()]
        amount = _credited(account, source, one, n)
        description = one.get("description", source["description"])
    else:
        source, ids, description = None, one.get("tax_rates", []), one.get("description")
        exact = one.get("unit_amount_decimal", one.get("unit_amount"))
        if exact is None or "description" not in one:
            raise missing(f"lines[{n}][{'description' if exact is not None else 'unit_amount'}]")
        amount = rating.rounded(Decimal(exact) * one.get("quantity", 1))
    rates = [account.find("tax_rate", id, f"lines[{n}][tax_rates]") for id in ids]
    return {
        "id": account.new_id("cnli"),
        "object": "credit_note_line_item",
        "amount": amount,
        "description": description,
        "discount_amount": 0,
        "discount_amounts": [],
        "invoice_line_item": source and source["id"],
        "livemode": False,
        "metadata": changed_metadata({}, one.get("metadata", {})),
        "pretax_credit_amounts": [],
        "quantity": one.get("quantity"),
        "tax_rates": rates,
        "taxes": rating.taxes_of(amount, rates),
        "type": one["type"],
        "unit_amount": one.get("unit_amount"),
        "unit_amount_decimal": None if "unit_amount_decimal" not in one else f"{one['unit_amount_decimal']:f}",
    }


def _source(account: Account, invoice: Wire, one: dict[str, Any], n: int) -> Wire:
    id = one.get("invoice_line_item")
    if id is None:
        raise missing(f"lines[{n}][invoice_line_item]")
    for line in account.invoice_lines[invoice["id"]]:
        if line["id"] == id:
            return line
    raise invalid(f"No such invoice line item: '{id}'", f"lines[{n}][invoice_line_item]", "resource_missing")


def _credited(account: Account, source: Wire, one: dict[str, Any], n: int) -> int:
    """The amount before exclusive tax; by quantity in proportion. Never more than the line has left."""
    if "amount" in one:
        amount = int(one["amount"])
    elif "quantity" in one and source["quantity"]:
        amount = rating.rounded(Decimal(source["amount"]) * one["quantity"] / source["quantity"])
    else:
        amount = source["amount"]
    before = sum(
        line["amount"]
        for note in account.table("credit_note").having("invoice", source["invoice"])
        if note["status"] == "issued"
        for line in note["lines"]["data"]
        if line["invoice_line_item"] == source["id"]
    )
    if amount > source["amount"] - before:
        message = f"The amount ({amount}) exceeds what is left to credit on the line ({source['amount'] - before})."
        raise conflict_of_state(message, param=f"lines[{n}][amount]")
    return amount
