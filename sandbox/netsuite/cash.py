"""Payments, refunds and journals: nothing is applied beyond what is open, and every journal balances."""

from decimal import Decimal

from sandbox.netsuite.books import RECEIVABLES, Books
from sandbox.netsuite.draft import TOUCHED
from sandbox.netsuite.errors import invalid_value, missing, user_error
from sandbox.netsuite.store import Line, Record
from sandbox.netsuite.wire import ZERO, cents

BANK = "1"  # the seeded operating account


def complete_payment(books: Books, draft: Record, old: Record | None) -> None:
    customer = books.customer(draft, old, "customer")
    books.belong(draft, customer)
    books.dated(draft, "PYMT")
    books.post(draft, old)
    draft.values.setdefault("account", BANK)
    paid = draft.get("payment")
    if paid is None or cents(paid) <= 0:
        raise missing("Payment Amount") if paid is None else invalid_value("payment", paid, "payment")
    draft.values["payment"] = draft.values["total"] = cents(paid)
    if draft.get("autoApply"):
        _auto_apply(books, draft)
    complete_applications(books, draft, old, frozenset({"invoice"}))


def complete_refund(books: Books, draft: Record, old: Record | None) -> None:
    customer = books.customer(draft, old, "customer")
    books.belong(draft, customer)
    books.dated(draft, "RFND")
    books.post(draft, old)
    draft.values.setdefault("account", BANK)
    draft.values.setdefault("arAcct", RECEIVABLES)
    draft.values["total"] = Decimal("Infinity")  # a refund is as large as what it is applied to
    complete_applications(books, draft, old, frozenset({"creditMemo", "customerPayment"}))
    draft.values["total"] = sum((line["amount"] for line in draft.lines["apply"]), ZERO)
    if not draft.lines["apply"]:
        raise user_error("Please apply this refund to at least one credit or payment.", "apply")


def _auto_apply(books: Books, draft: Record) -> None:
    """Oldest due first, over what the body did not name."""
    lines = draft.lines.setdefault("apply", [])
    named = {line["doc"] for line in lines}
    waiting = [one for one in books.store.open_invoices[draft.values["customer"]].values() if one.id not in named]
    for invoice in sorted(waiting, key=lambda one: (one.values["dueDate"], int(one.id))):
        lines.append({"line": len(lines) + 1, "doc": invoice.id, "apply": True})
    draft.values["autoApply"] = False


def complete_applications(books: Books, draft: Record, old: Record | None, targets: frozenset[str]) -> None:
    """Checks each application: the customer's own document, open, not overdrawn; without an amount, as much as there is."""
    before = {line["doc"]: line["amount"] for line in old.lines.get("apply", ())} if old else {}
    left = draft.values["total"] - sum(books.store.applied[draft.id].values(), ZERO)
    kept: list[Line] = []
    for position, line in enumerate(draft.lines.get("apply", ())):
        path = f"apply.items[{position}]"
        line.pop(TOUCHED, None)
        document = books.store.families["transaction"][line["doc"]]
        if document.type.name not in targets or document.party != draft.party:
            raise invalid_value("doc", document.id, f"{path}.doc")
        if not line.get("apply", True):
            continue
        due = books.store.remaining(document) + before.get(document.id, ZERO)
        amount = cents(line["amount"]) if "amount" in line else min(due, left)
        if amount < 0 or amount > due or amount > left or (amount == 0 and "amount" in line):
            raise invalid_value("amount", amount, f"{path}.amount")
        if amount > 0:
            kept.append({"line": len(kept) + 1, "doc": document.id, "apply": True, "amount": amount})
            left -= amount
    draft.lines["apply"] = kept
    if left < 0:
        raise user_error("The applied amount exceeds the amount of the transaction.", "apply")


def complete_journal(books: Books, draft: Record, old: Record | None) -> None:
    if not draft.get("subsidiary"):
        raise missing("Subsidiary")
    home = books.store.types["subsidiary"][draft.values["subsidiary"]]
    draft.values.setdefault("currency", home.get("currency"))
    draft.values.setdefault("exchangeRate", Decimal(1))
    draft.values.setdefault("approved", True)
    books.dated(draft, "JE")
    books.post(draft, old)
    lines = draft.lines.get("line", [])
    if not lines:
        raise user_error("You must enter at least one line item for this transaction.", "line")
    debit = credit = ZERO
    for position, line in enumerate(lines):
        line.pop(TOUCHED, None)
        path = f"line.items[{position}]"
        if "account" not in line:
            raise user_error("Please enter value(s) for: Account.", f"{path}.account")
        if ("debit" in line) == ("credit" in line):
            raise user_error("Please enter either a debit or a credit amount.", path)
        books.located(line.get("location"), draft.values["subsidiary"], f"{path}.location")
        side = "debit" if "debit" in line else "credit"
        line[side] = cents(line[side])
        debit, credit = debit + line.get("debit", ZERO), credit + line.get("credit", ZERO)
    if debit != credit:
        raise user_error(f"Please balance this journal entry: debits {debit}, credits {credit}.", "line")
    draft.values["total"] = debit
