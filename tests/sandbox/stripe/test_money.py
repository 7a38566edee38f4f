"""Invoices, payments, credit notes and refunds: states, amounts that add up, and what is refused."""

from typing import Any

import pytest
import stripe as sdk

DAY = 86400


@pytest.fixture
def invoice(sandbox: Any) -> str:
    """A draft over 10 seats and 20 hours in California: 1,500,000 and 108,750 tax, in cents."""
    [rate] = [r["id"] for r in sandbox.records("tax_rate") if r["metadata"]["entity"] == "US01"]
    made = sandbox.client().v1.subscriptions.create(
        params={
            "customer": sandbox.records("customer")[0]["id"],
            "collection_method": "send_invoice",
            "days_until_due": 30,
            "items": [{"price": sandbox.price("PLAT-ANNUAL/usd"), "quantity": 10}],
            "add_invoice_items": [{"price": sandbox.price("ONBOARD-SVC/usd"), "quantity": 20}],
            "default_tax_rates": [rate],
        }
    )
    return str(made.latest_invoice)


@pytest.fixture
def open_invoice(stripe: Any, invoice: str) -> str:
    return str(stripe.v1.invoices.finalize_invoice(invoice).id)


@pytest.fixture
def paid_invoice(stripe: Any, open_invoice: str) -> str:
    return str(stripe.v1.invoices.pay(open_invoice, params={"payment_method": "pm_card_visa"}).id)


def test_finalizing_gives_a_number_a_due_date_and_a_payment_to_wait_for(sandbox: Any, stripe: Any, invoice: str) -> None:
    row = stripe.v1.invoices.finalize_invoice(invoice, params={"expand": ["payments"]})
    with pytest.raises(sdk.InvalidRequestError) as again:
        stripe.v1.invoices.finalize_invoice(invoice)

    assert (row.status, row.amount_due, row.amount_remaining, row.amount_paid) == ("open", 1608750, 1608750, 0)
    assert row.number == f"{sandbox.records('customer')[0]['invoice_prefix']}-0001"
    assert row.status_transitions.finalized_at == row.effective_at
    assert row.payments is not None
    assert [(p.status, p.amount_requested) for p in row.payments.data] == [("open", 1608750)]
    assert again.value.code == "invoice_not_editable"


def test_a_payment_is_joined_through_invoice_payments(stripe: Any, paid_invoice: str) -> None:
    [payment] = stripe.v1.invoice_payments.list(params={"invoice": paid_invoice, "status": "paid"}).data
    intent = payment.payment.payment_intent
    by_intent = stripe.v1.invoice_payments.list(params={"payment": {"type": "payment_intent", "payment_intent": str(intent)}})
    charge = stripe.v1.charges.list(params={"payment_intent": str(intent)}).data[0]

    assert payment.amount_paid == charge.amount == stripe.v1.payment_intents.retrieve(str(intent)).amount_received == 1608750
    assert [p.id for p in by_intent.data] == [payment.id]
    assert stripe.v1.invoice_payments.list(params={"invoice": paid_invoice, "status": "open"}).data == []


def test_paying_needs_a_method_that_is_not_declined(stripe: Any, open_invoice: str) -> None:
    with pytest.raises(sdk.InvalidRequestError) as without:
        stripe.v1.invoices.pay(open_invoice)
    with pytest.raises(sdk.CardError) as declined:
        stripe.v1.invoices.pay(open_invoice, params={"payment_method": "pm_card_chargeDeclined"})
    row = stripe.v1.invoices.retrieve(open_invoice)

    assert without.value.code == "resource_missing"
    assert (declined.value.http_status, declined.value.code) == (402, "card_declined")
    assert (row.status, row.attempted, row.attempt_count) == ("open", True, 1)
    assert stripe.v1.invoices.pay(open_invoice, params={"payment_method": "pm_card_visa"}).status == "paid"
    with pytest.raises(sdk.InvalidRequestError):
        stripe.v1.invoices.pay(open_invoice, params={"payment_method": "pm_card_visa"})


def test_an_invoice_paid_out_of_band_awaits_no_payment(stripe: Any, open_invoice: str) -> None:
    row = stripe.v1.invoices.pay(open_invoice, params={"paid_out_of_band": True})

    assert (row.status, row.amount_remaining, row.amount_paid_off_stripe) == ("paid", 0, 1608750)
    assert [p.status for p in stripe.v1.invoice_payments.list(params={"invoice": open_invoice}).data] == ["canceled"]
    assert stripe.v1.charges.list().data == []


def test_states_lead_where_they_may(stripe: Any, invoice: str) -> None:
    with pytest.raises(sdk.InvalidRequestError) as early:
        stripe.v1.invoices.void_invoice(invoice)
    sent = stripe.v1.invoices.send_invoice(invoice)
    written_off = stripe.v1.invoices.mark_uncollectible(invoice)
    voided = stripe.v1.invoices.void_invoice(invoice)
    with pytest.raises(sdk.InvalidRequestError):
        stripe.v1.invoices.pay(invoice, params={"paid_out_of_band": True})
    with pytest.raises(sdk.InvalidRequestError):
        stripe.v1.invoices.void_invoice(invoice)

    assert early.value.code == "status_transition_invalid"
    assert [sent.status, written_off.status, voided.status] == ["open", "uncollectible", "void"]


def test_invoices_are_listed_by_customer_status_and_subscription(sandbox: Any, stripe: Any, open_invoice: str) -> None:
    customer = sandbox.records("customer")[0]["id"]
    subscription = sandbox.records("subscription")[0]["id"]

    def ids(**params: Any) -> list[str]:
        return [i.id for i in stripe.v1.invoices.list(params=params).data]

    assert ids(customer=customer) == ids(status="open") == ids(subscription=subscription) == [open_invoice]
    assert ids(status="draft") == ids(customer="cus_none") == []


def test_an_invoice_shows_ten_lines_and_pages_the_rest(sandbox: Any, stripe: Any) -> None:
    made = stripe.v1.subscriptions.create(
        params={
            "customer": sandbox.records("customer")[0]["id"],
            "collection_method": "send_invoice",
            "days_until_due": 30,
            "items": [{"price": sandbox.price("PLAT-ANNUAL/usd")}],
            "add_invoice_items": [{"price": sandbox.price("SENSOR-X1/usd"), "quantity": n} for n in range(1, 13)],
            "expand": ["latest_invoice"],
        }
    )
    invoice = made.latest_invoice

    assert isinstance(invoice, sdk.Invoice)
    assert (len(invoice.lines.data), invoice.lines.has_more) == (10, True)
    lines = [line.amount for line in stripe.v1.invoices.line_items.list(invoice.id, params={"limit": 5}).auto_paging_iter()]
    assert (len(lines), sum(lines)) == (13, invoice.total)


def test_a_finalized_invoice_takes_metadata_and_nothing_that_matters(stripe: Any, open_invoice: str) -> None:
    changed = stripe.v1.invoices.update(open_invoice, params={"metadata": {"erp": "JE-1"}})
    with pytest.raises(sdk.InvalidRequestError) as refused:
        stripe.v1.invoices.update(open_invoice, params={"days_until_due": 60})

    assert changed.metadata.to_dict() == {"erp": "JE-1"}
    assert refused.value.code == "invoice_not_editable"


def credit(stripe: Any, invoice: str, **params: Any) -> Any:
    return stripe.v1.credit_notes.create(params={"invoice": invoice, **params})


def seat_line(stripe: Any, invoice: str, amount: int) -> list[Any]:
    line = stripe.v1.invoices.retrieve(invoice).lines.data[0]
    return [{"type": "invoice_line_item", "invoice_line_item": line.id, "amount": amount}]


def test_a_credit_note_reduces_what_is_open_with_its_tax(stripe: Any, open_invoice: str) -> None:
    note = credit(stripe, open_invoice, lines=seat_line(stripe, open_invoice, 100000), reason="order_change")
    row = stripe.v1.invoices.retrieve(open_invoice)

    assert (note.subtotal, note.total, note.type) == (100000, 107250, "pre_payment")
    assert note.total_taxes is not None
    assert note.total_taxes[0].amount == 7250
    assert note.number.endswith("-0001-CN-01")
    assert (row.amount_remaining, row.pre_payment_credit_notes_amount) == (1501500, 107250)
    paid = stripe.v1.invoices.pay(open_invoice, params={"payment_method": "pm_card_visa"})
    assert (paid.amount_paid, paid.amount_remaining) == (1501500, 0)


def test_what_was_paid_has_to_go_somewhere_to_the_cent(sandbox: Any, stripe: Any, paid_invoice: str) -> None:
    lines = seat_line(stripe, paid_invoice, 100000)
    with pytest.raises(sdk.InvalidRequestError) as nowhere:
        credit(stripe, paid_invoice, lines=lines)
    note = credit(stripe, paid_invoice, lines=lines, refund_amount=100000, credit_amount=7000, out_of_band_amount=250)
    [refund] = stripe.v1.refunds.list().data
    customer = sandbox.records("customer")[0]

    assert nowhere.value.param == "refund_amount"
    assert (note.type, note.post_payment_amount, note.pre_payment_amount) == ("post_payment", 107250, 0)
    assert [r.refund for r in note.refunds] == [refund.id]
    assert (refund.amount, refund.status, customer["balance"]) == (100000, "succeeded", -7000)
    assert stripe.v1.invoices.retrieve(paid_invoice).post_payment_credit_notes_amount == 107250


def test_no_more_is_credited_than_was_invoiced(stripe: Any, open_invoice: str) -> None:
    credit(stripe, open_invoice, lines=seat_line(stripe, open_invoice, 1000000))
    for params in ({"lines": seat_line(stripe, open_invoice, 200001)}, {"amount": 1608750 - 1072500 + 1}):
        with pytest.raises(sdk.InvalidRequestError):
            credit(stripe, open_invoice, **params)

    assert credit(stripe, open_invoice, amount=1608750 - 1072500).type == "pre_payment"
    assert stripe.v1.invoices.retrieve(open_invoice).status == "paid"


def test_a_credit_note_is_taken_back_while_its_invoice_is_open(stripe: Any, open_invoice: str) -> None:
    note = credit(stripe, open_invoice, amount=1000)
    voided = stripe.v1.credit_notes.void_credit_note(note.id)

    assert voided.status == "void"
    assert stripe.v1.invoices.retrieve(open_invoice).amount_remaining == 1608750
    with pytest.raises(sdk.InvalidRequestError):
        stripe.v1.credit_notes.void_credit_note(note.id)


def test_drafts_take_no_credit_notes_and_previews_leave_none(stripe: Any, sandbox: Any, invoice: str) -> None:
    with pytest.raises(sdk.InvalidRequestError):
        credit(stripe, invoice, amount=1)
    stripe.v1.invoices.finalize_invoice(invoice)
    preview = stripe.v1.credit_notes.preview(params={"invoice": invoice, "amount": 500})

    assert preview.total == 500
    assert sandbox.records("credit_note") == []


def test_a_credit_on_the_customer_pays_the_next_invoice(stripe: Any, sandbox: Any, invoice: str) -> None:
    stripe.v1.customers.update(sandbox.records("customer")[0]["id"], params={"balance": -2000000})
    row = stripe.v1.invoices.finalize_invoice(invoice)

    assert (row.status, row.amount_due, row.starting_balance, row.ending_balance) == ("paid", 0, -2000000, -391250)
    assert sandbox.records("customer")[0]["balance"] == -391250


def test_refunds_never_exceed_their_charge(stripe: Any, paid_invoice: str) -> None:
    [charge] = stripe.v1.charges.list().data
    intent = str(charge.payment_intent)
    part = stripe.v1.refunds.create(params={"payment_intent": intent, "amount": 600000, "reason": "requested_by_customer"})
    with pytest.raises(sdk.InvalidRequestError) as excess:
        stripe.v1.refunds.create(params={"charge": charge.id, "amount": 1008751})
    rest = stripe.v1.refunds.create(params={"charge": charge.id})
    with pytest.raises(sdk.InvalidRequestError) as over:
        stripe.v1.refunds.create(params={"charge": charge.id})

    assert (part.amount, rest.amount) == (600000, 1008750)
    assert excess.value.param == "amount"
    assert over.value.code == "charge_already_refunded"
    assert [r.id for r in stripe.v1.refunds.list(params={"payment_intent": intent}).data] == [rest.id, part.id]
    assert stripe.v1.charges.retrieve(charge.id).refunded


def test_an_unpaid_intent_has_nothing_to_refund(sandbox: Any, stripe: Any, open_invoice: str) -> None:
    with pytest.raises(sdk.InvalidRequestError) as refused:
        stripe.v1.refunds.create(params={"payment_intent": sandbox.records("payment_intent")[0]["id"]})

    assert refused.value.code == "payment_intent_unexpected_state"
