"""A quote's lines as they are sold: charges resolved, bundles taken apart, each with an exact amount.

A bundle's price is allocated to its parts by relative stand-alone selling price (IFRS 15.76, ASC 606-10-32-31); the parts'
amounts add up to the bundle's to the unit.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from decimal import ROUND_HALF_UP, Decimal

from contracts.models.catalog import ChargeKind
from contracts.models.master_data import ANY, MappingKind
from contracts.models.money import Money, allocate, exponent
from contracts.models.sales import Quote, QuoteLine
from kernel.problem import Unmapped
from master_data.mappings import MappingBook

BUNDLE = "bundle"


@dataclass(frozen=True)
class SoldLine:
    """One thing sold. `amount` is None for the part of a bundle until it is allocated; `charge` None: not mapped."""

    line: str
    number: int  # of the quote's line, from 0
    sku: str
    quantity: int
    charge: ChargeKind | None
    unit_price: Decimal | None  # as quoted; a part of a bundle has none
    amount: Money | None
    bundle: str | None = None
    bundle_total: Money | None = None


async def sold_lines(quote: Quote, mappings: MappingBook, on: date) -> list[SoldLine]:
    """The quote's lines, each bundle replaced by its parts. A bundle without parts on record raises `Unmapped`."""
    charges = await mappings.resolve(MappingKind.CHARGE, (line.sku for line in quote.lines), ANY, on)
    bundles = [line.sku for line in quote.lines if charges.get(line.sku) == BUNDLE]
    contents = await mappings.resolve(MappingKind.BUNDLE, bundles, ANY, on) if bundles else {}
    parts = {sku: bundle_parts(sku, contents.get(sku)) for sku in bundles}
    part_charges = (
        await mappings.resolve(MappingKind.CHARGE, (p for each in parts.values() for p in each), ANY, on) if parts else {}
    )
    sold: list[SoldLine] = []
    for number, line in enumerate(quote.lines):
        if line.sku in parts:
            sold += _parts(number, line, quote.currency, parts[line.sku], part_charges)
        else:
            sold.append(_plain(number, line, quote.currency, charges.get(line.sku)))
    return sold


def bundle_parts(sku: str, text: str | None) -> dict[str, int]:
    """ "A:1, B:10" → {"A": 1, "B": 10}; raises Unmapped when it is missing or cannot be read."""
    try:
        pairs = [part.strip().rsplit(":", 1) for part in (text or "").split(",")]
        parts = {part.strip(): int(quantity) for part, quantity in pairs}
        if len(parts) < len(pairs) or "" in parts or min(parts.values()) < 1:
            raise ValueError("each part once, at least one of it")
        return parts
    except ValueError:
        raise Unmapped(
            f"the contents of the bundle {sku} are {'not on record' if text is None else f'unreadable: {text!r}'}",
            field="quote.lines", system="trivium", fix=mapping_fix(MappingKind.BUNDLE, sku, "PART:1, OTHER-PART:10"),
        ) from None  # fmt: skip


def allocate_bundles(lines: list[SoldLine], standalone: Mapping[str, Decimal]) -> list[SoldLine]:
    """Gives the parts of each bundle their share of its price; `standalone` maps sku → stand-alone unit price."""
    shares: dict[str, Money] = {}
    for number in {line.number for line in lines if line.bundle}:
        parts = [line for line in lines if line.number == number]
        total = parts[0].bundle_total
        weights = {p.line: _weight(p, standalone, total.currency) for p in parts} if total else {}
        if total is not None and all(weights.values()):
            shares |= allocate(total, weights)
    return [replace(line, amount=shares.get(line.line, line.amount)) for line in lines]


def mapping_fix(kind: MappingKind, source: str, example: str) -> str:
    """How a person puts a missing mapping on record."""
    return f"add the mapping {kind.value} {source!r} → e.g. {example!r}: POST /ops/master-data/v1/mappings"


def line_amount(quantity: int, unit_price: Decimal, currency: str) -> Money:
    """Quantity times unit price, rounded half up to the currency's minor unit."""
    unit = Decimal(1).scaleb(-exponent(currency))
    return Money.of((unit_price * quantity).quantize(unit, rounding=ROUND_HALF_UP), currency)


def _weight(part: SoldLine, standalone: Mapping[str, Decimal], currency: str) -> int:
    price = standalone.get(part.sku, Decimal(0))
    return line_amount(part.quantity, price, currency).minor


def _plain(number: int, line: QuoteLine, currency: str, charge: str | None) -> SoldLine:
    known = ChargeKind(charge) if charge in set(ChargeKind) else None
    amount = line_amount(line.quantity, line.unit_price, currency)
    return SoldLine(line.id, number, line.sku, line.quantity, known, line.unit_price, amount)


def _parts(number: int, line: QuoteLine, currency: str, parts: Mapping[str, int], charges: Mapping[str, str]) -> list[SoldLine]:
    total = line_amount(line.quantity, line.unit_price, currency)
    return [
        SoldLine(
            f"{line.id}-{part}", number, sku, line.quantity * quantity,
            ChargeKind(charges[sku]) if charges.get(sku) in set(ChargeKind) else None, None, None, line.sku, total,
        )
        for part, (sku, quantity) in enumerate(parts.items(), start=1)
    ]  # fmt: skip
