"""Payments, credit memos, refunds and journals: nothing is applied twice, everything balances."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.sandbox.netsuite.driving import Client, line, order


def payment(customer: str, amount: Any, *applied: tuple[str, Any]) -> dict[str, Any]:
    lines = [{"doc": {"id": doc}, "apply": True, "amount": part, "line": 0} for doc, part in applied]
    return {"customer": {"id": customer}, "account": {"id": "1"}, "payment": amount, "apply": {"items": lines}}


@pytest.fixture
def invoice(client: Client, harbor: str) -> str:
    """An invoice of 1287.00."""
    return client.made("invoice", order(harbor, line("PLAT-ANNUAL", 1)))


def balance(client: Client, customer: str) -> Any:
    return client.read(f"customer/{customer}")["balance"]


def test_a_payment_settles_what_it_is_applied_to_and_keeps_the_rest(client: Client, harbor: str, invoice: str) -> None:
    made = client.made("customerPayment", payment(harbor, 1500, (invoice, 1287)))

    paid, settled = client.read(f"customerPayment/{made}", expandSubResources="true"), client.read(f"invoice/{invoice}")
    assert (paid["applied"], paid["unapplied"]) == (1287, 213)
    assert (settled["amountPaid"], settled["amountRemaining"], settled["status"]["refName"]) == (1287, 0, "Paid In Full")
    assert paid["apply"]["items"][0] | {"links": []} == {
        "links": [], "line": 1, "apply": True, "amount": 1287, "total": 1287, "due": 0, "refNum": "INV1003", "type": "CustInvc",
        "doc": paid["apply"]["items"][0]["doc"], "applyDate": settled["tranDate"],
    }  # fmt: skip
    assert balance(client, harbor) == 987


def test_a_payment_made_from_the_customer_or_the_invoice(client: Client, harbor: str, invoice: str) -> None:
    on_account = client.made(f"customer/{harbor}/!transform/customerPayment", {"payment": 100})
    of_invoice = client.made(f"invoice/{invoice}/!transform/customerPayment", {})

    assert client.read(f"customerPayment/{on_account}")["unapplied"] == 100
    assert client.read(f"customerPayment/{of_invoice}")["applied"] == 1287
    assert client.read(f"invoice/{invoice}")["amountRemaining"] == 0


def test_unapplying_and_applying_again_changes_nothing(client: Client, harbor: str, invoice: str) -> None:
    made = client.made("customerPayment", payment(harbor, 1287, (invoice, 1287)))

    client.patch(f"customerPayment/{made}", json={"apply": {"items": [{"doc": {"id": invoice}, "apply": False}]}})
    between = client.read(f"invoice/{invoice}")["amountRemaining"]
    client.patch(f"customerPayment/{made}", json={"apply": {"items": [{"doc": {"id": invoice}, "apply": True}]}})

    assert between == 1287
    assert client.read(f"invoice/{invoice}")["amountRemaining"] == 0


def test_auto_apply_pays_the_oldest_due_first(client: Client, harbor: str, invoice: str) -> None:
    made = client.made("customerPayment", {**payment(harbor, 1300), "autoApply": True})

    found = client.read(f"customerPayment/{made}", expandSubResources="true")
    assert [(one["refNum"], one["amount"]) for one in found["apply"]["items"]] == [("INV1001", 1200), ("INV1003", 100)]


def test_no_more_is_applied_than_is_open_or_was_paid(client: Client, harbor: str, rheinblick: str, invoice: str) -> None:
    foreign = client.made("invoice", order(rheinblick, line("PLAT-ANNUAL", 1)))
    order_made = client.made("salesOrder", order(harbor))
    client.made("customerPayment", payment(harbor, 1000, (invoice, 1000)))

    over_open = client.refused("POST", "customerPayment", payment(harbor, 1000, (invoice, 288)))
    over_paid = client.refused("POST", "customerPayment", payment(harbor, 100, (invoice, 101)))
    of_another = client.refused("POST", "customerPayment", payment(harbor, 100, (foreign, 100)))
    of_an_order = client.refused("POST", "customerPayment", payment(harbor, 100, (order_made, 100)))
    nothing = client.refused("POST", "customerPayment", payment(harbor, 0))

    assert [one["o:errorPath"] for one in (over_open, over_paid)] == ["apply.items[0].amount"] * 2
    assert [one["o:errorPath"] for one in (of_another, of_an_order)] == ["apply.items[0].doc"] * 2
    assert nothing["o:errorPath"] == "payment"


def test_a_deleted_payment_opens_the_invoice_again(client: Client, harbor: str, invoice: str) -> None:
    made = client.made("customerPayment", payment(harbor, 1287, (invoice, 1287)))
    assert "dependent records" in client.refused("DELETE", f"invoice/{invoice}")["detail"]

    client.delete(f"customerPayment/{made}")

    assert client.read(f"invoice/{invoice}")["amountRemaining"] == 1287
    assert balance(client, harbor) == 2487


def test_an_invoice_becomes_a_credit_memo_that_is_applied_to_it(client: Client, harbor: str, invoice: str) -> None:
    body = {"apply": {"items": [{"doc": {"id": invoice}, "apply": True}]}}

    made = client.made(f"invoice/{invoice}/!transform/creditMemo", body)

    credit = client.read(f"creditMemo/{made}")
    assert (credit["total"], credit["applied"], credit["status"]["refName"]) == (1287, 1287, "Fully Applied")
    assert client.read(f"invoice/{invoice}")["amountRemaining"] == 0
    assert balance(client, harbor) == 1200


def test_a_partial_credit_takes_a_smaller_line(client: Client, harbor: str) -> None:
    big = client.made("invoice", order(harbor, line("PLAT-ANNUAL", 10)))
    body = {"item": {"items": [{"line": 1, "quantity": 2}]}, "apply": {"items": [{"doc": {"id": big}}]}}

    made = client.made(f"invoice/{big}/!transform/creditMemo", body)

    assert client.read(f"creditMemo/{made}")["total"] == 2574
    assert client.read(f"invoice/{big}")["amountRemaining"] == 10296


def test_an_application_without_a_document_is_refused(client: Client, invoice: str) -> None:
    body = {"apply": {"items": [{"apply": True, "amount": 1}]}}

    assert client.refused("POST", f"invoice/{invoice}/!transform/creditMemo", body)["o:errorPath"] == "apply.items[0].doc"


def test_a_refund_pays_out_a_credit_once(client: Client, harbor: str) -> None:
    memo = client.made("creditMemo", order(harbor, line("PLAT-ANNUAL", 1)))
    body = {"customer": {"id": harbor}, "apply": {"items": [{"doc": {"id": memo}, "amount": 287}]}}

    first = client.made("customerRefund", body)
    too_much = client.refused("POST", "customerRefund", {**body, "apply": {"items": [{"doc": {"id": memo}, "amount": 1001}]}})
    empty = client.refused("POST", "customerRefund", {"customer": {"id": harbor}})

    assert client.read(f"customerRefund/{first}")["total"] == 287
    assert client.read(f"creditMemo/{memo}")["unapplied"] == 1000
    assert (too_much["o:errorPath"], empty["o:errorPath"]) == ("apply.items[0].amount", "apply")
    assert balance(client, harbor) == 200


def journal(*lines: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"subsidiary": {"id": "1"}, "line": {"items": list(lines)}, **more}


def entry(account: str, **side: Any) -> dict[str, Any]:
    return {"account": {"id": account}, **side}


def test_a_balanced_journal_posts(client: Client) -> None:
    made = client.made("journalEntry", journal(entry("5", debit=300), entry("6", credit=300, department={"id": "1"})))

    found = client.read(f"journalEntry/{made}", expandSubResources="true")
    assert [(one["account"]["refName"], one.get("debit"), one.get("credit")) for one in found["line"]["items"]] == [
        ("Deferred Revenue", 300, None), ("Subscription Revenue", None, 300),
    ]  # fmt: skip
    assert found["postingPeriod"]["id"]


def test_a_journal_that_does_not_balance_or_has_a_line_with_two_sides_is_refused(client: Client, closed_day: str) -> None:
    unbalanced = client.refused("POST", "journalEntry", journal(entry("5", debit=300), entry("6", credit=299.99)))
    two_sided = client.refused("POST", "journalEntry", journal(entry("5", debit=1, credit=1)))
    no_account = client.refused("POST", "journalEntry", journal({"debit": 1}, entry("6", credit=1)))
    closed = client.refused("POST", "journalEntry", journal(entry("5", debit=1), entry("6", credit=1), tranDate=closed_day))

    assert "balance" in unbalanced["detail"]
    assert (two_sided["o:errorPath"], no_account["o:errorPath"]) == ("line.items[0]", "line.items[0].account")
    assert closed["o:errorPath"] == "tranDate"
    assert client.read("journalEntry")["totalResults"] == 0


MOVES = st.lists(st.tuples(st.sampled_from(["pay", "credit", "delete"]), st.integers(1, 2000)), max_size=8)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(MOVES)
def test_after_any_moves_the_balance_follows_the_documents(client: Client, rheinblick: str, moves: list[tuple[str, int]]) -> None:
    client.made("invoice", order(rheinblick, line("PLAT-ANNUAL", 1)))
    made: list[str] = []
    for move, amount in moves:
        if move == "delete" and made:
            assert client.delete(made.pop()).status_code == 204
        elif move == "pay":
            made.append(f"customerPayment/{client.made('customerPayment', {**payment(rheinblick, amount), 'autoApply': True})}")
        elif move == "credit":
            made.append(f"creditMemo/{client.made('creditMemo', order(rheinblick, line('ONBOARD-SVC', 1, rate=amount)))}")

    mine = f"entity ANY_OF [{rheinblick}]"
    invoices = [client.read(f"invoice/{one['id']}") for one in client.read("invoice", q=mine)["items"]]
    credits = [client.read(f"creditMemo/{one['id']}") for one in client.read("creditMemo", q=mine)["items"]]
    paid = client.read("customerPayment", q=f"customer ANY_OF [{rheinblick}]")["items"]
    payments = [client.read(f"customerPayment/{one['id']}") for one in paid]
    still_open = sum((one["amountRemaining"] for one in invoices), Decimal(0))
    on_account = sum((one["unapplied"] for one in (*credits, *payments)), Decimal(0))
    assert balance(client, rheinblick) == still_open - on_account
    assert all(0 <= one["amountRemaining"] <= one["total"] for one in invoices)
