"""What lines cost and what tax they bear: integers in minor units, rounded half up once per line. Pure functions."""

from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from sandbox.stripe.wire import Wire


def rounded(amount: Decimal) -> int:
    """Minor units, half away from zero."""
    return int(amount.quantize(Decimal(1), rounding=ROUND_HALF_UP))


def price_amount(price: Wire, quantity: Decimal | int) -> int:
    """What a quantity costs at a per-unit price."""
    return rounded(Decimal(price["unit_amount_decimal"]) * quantity)


def prorated(amount: int, start: int, end: int, at: int) -> int:
    """The share of a period's amount that falls after `at`, by the second."""
    return rounded(Decimal(amount) * (end - at) / (end - start)) if end > start else 0


def tax(amount: int, percentage: Decimal, inclusive: bool) -> tuple[int, int]:
    """The tax of an amount and the amount it is charged on; an inclusive tax is contained in the amount."""
    if not inclusive:
        return rounded(amount * percentage / 100), amount
    taxable = rounded(amount * 100 / (100 + percentage))
    return amount - taxable, taxable


def taxes_of(amount: int, rates: Sequence[Wire], reason: str = "not_available") -> list[Wire]:
    """The taxes of one invoice line, an entry per rate."""
    found = []
    for rate in rates:
        charged, taxable = tax(amount, rate["percentage"], rate["inclusive"])
        found.append(tax_entry(charged, taxable, rate["id"], rate["inclusive"], reason))
    return found


def tax_entry(amount: int, taxable: int, rate: str, inclusive: bool, reason: str) -> Wire:
    return {
        "amount": amount,
        "tax_behavior": "inclusive" if inclusive else "exclusive",
        "tax_rate_details": {"tax_rate": rate},
        "taxability_reason": reason,
        "taxable_amount": taxable,
        "type": "tax_rate_details",
    }


def total_taxes(lines: Sequence[Wire]) -> list[Wire]:
    """The taxes of a document: those of its lines, summed per rate."""
    sums: dict[tuple[str, str], Wire] = {}
    for entry in (entry for line in lines for entry in line["taxes"] or ()):
        key = (entry["tax_rate_details"]["tax_rate"], entry["tax_behavior"])
        if key in sums:
            sums[key]["amount"] += entry["amount"]
            sums[key]["taxable_amount"] += entry["taxable_amount"]
        else:
            sums[key] = {**entry}
    return list(sums.values())


def added_tax(lines: Sequence[Wire], behavior: str) -> int:
    return sum(e["amount"] for line in lines for e in line["taxes"] or () if e["tax_behavior"] == behavior)


def totals(lines: Sequence[Wire]) -> dict[str, Any]:
    """Subtotal, total and taxes of a document with these lines."""
    subtotal = sum(line["amount"] for line in lines)
    inclusive, exclusive = added_tax(lines, "inclusive"), added_tax(lines, "exclusive")
    return {
        "subtotal": subtotal,
        "subtotal_excluding_tax": subtotal - inclusive,
        "total": subtotal + exclusive,
        "total_excluding_tax": subtotal - inclusive,
        "total_taxes": total_taxes(lines),
    }


def describe_money(minor: Decimal | str, currency: str, digits: int = 2) -> str:
    """`$0.02` for a line's description; other currencies by their code."""
    amount = f"{Decimal(minor).scaleb(-digits):f}"
    whole, _, fraction = amount.partition(".")
    shown = f"{whole}.{fraction.ljust(digits, '0')}" if digits else whole
    return {"usd": f"${shown}", "eur": f"€{shown}"}.get(currency, f"{currency.upper()} {shown}")
