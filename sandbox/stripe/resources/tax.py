"""Tax calculations: `/v1/tax/calculations`; places and percentages come from the seeded legal entities."""

from decimal import Decimal
from typing import Any

from sandbox.stripe import rating
from sandbox.stripe.account import Account, Call
from sandbox.stripe.errors import invalid, unlocatable
from sandbox.stripe.lists import slice_of
from sandbox.stripe.nexus import Jurisdiction, jurisdiction, locatable
from sandbox.stripe.parameters import ADDRESS, EXPAND, PAGE, Required, Shape, array, choice, group, integer, metadata, text
from sandbox.stripe.periods import DAY
from sandbox.stripe.resources.reading import retrieve
from sandbox.stripe.routing import Operation
from sandbox.stripe.wire import Wire

_GENERAL = "txcd_10000000"  # electronically supplied services, the default product tax code
_EXEMPT = {"customer_exempt": "customer_exempt", "reverse_charge": "reverse_charge"}
_OVERRIDES = {"none": "none", "exempt": "customer_exempt", "reverse": "reverse_charge"}


def calculate(call: Call) -> Wire:
    account, params = call.account, call.params
    details = _customer_details(call)
    if not locatable(details["address"]):
        raise unlocatable("customer_details[address]")
    place = jurisdiction(details["address"])
    references = [line.get("reference", f"L{n}") for n, line in enumerate(params["line_items"], 1)]
    if len(set(references)) < len(references):
        raise invalid("Each line item must have a unique reference.", "line_items[1][reference]")
    id = account.new_id("taxcalc")
    lines = [
        _line(account, line, reference, details, place) for line, reference in zip(params["line_items"], references, strict=True)
    ]
    exclusive, inclusive = (sum(x["amount_tax"] for x in lines if x["tax_behavior"] == b) for b in ("exclusive", "inclusive"))
    row: Wire = {
        "id": id,
        "object": "tax.calculation",
        "amount_total": sum(x["amount"] for x in lines) + exclusive,
        "currency": params["currency"].lower(),
        "customer": params.get("customer"),
        "customer_details": details,
        "expires_at": account.now() + 90 * DAY,
        "livemode": False,
        "ship_from_details": None,
        "shipping_cost": None,
        "tax_amount_exclusive": exclusive,
        "tax_amount_inclusive": inclusive,
        "tax_breakdown": _breakdown(lines, details, place),
        "tax_date": params.get("tax_date", account.now()),
    }
    account.calculation_lines[id] = lines
    return account.save(row)


def _customer_details(call: Call) -> Wire:
    given = call.get("customer_details", {})
    customer = call.account.find("customer", call.get("customer"), "customer") if call.get("customer") else None
    address = given.get("address") or (customer and customer["address"])
    override = _OVERRIDES[customer["tax_exempt"]] if customer else "none"
    return {
        "address": {part: (address or {}).get(part) for part in ADDRESS} if address else None,
        "address_source": given.get("address_source", "billing"),
        "ip_address": None,
        "tax_ids": given.get("tax_ids", []),
        "taxability_override": given.get("taxability_override", override),
    }


def _reason(details: Wire, place: Jurisdiction | None) -> str:
    if place is None:
        return "not_collecting"
    return _EXEMPT.get(details["taxability_override"], "standard_rated")


def _rate_details(details: Wire, place: Jurisdiction | None, named: bool) -> Wire:
    rate = place.percentage if place and _reason(details, place) == "standard_rated" else Decimal("0.0")
    tax_type = place.tax_type if place else "sales_tax" if details["address"]["country"] == "US" else "vat"
    if named:
        return {"display_name": place.display_name if place else "Tax", "percentage_decimal": str(rate), "tax_type": tax_type}
    where = {"country": details["address"]["country"], "state": details["address"]["state"]}
    return where | {"flat_amount": None, "percentage_decimal": str(rate), "rate_type": "percentage", "tax_type": tax_type}


def _line(account: Account, given: dict[str, Any], reference: str, details: Wire, place: Jurisdiction | None) -> Wire:
    behavior, reason = given.get("tax_behavior", "exclusive"), _reason(details, place)
    percentage = place.percentage if place and reason == "standard_rated" else Decimal(0)
    charged, taxable = rating.tax(given["amount"], percentage, behavior == "inclusive")
    address = details["address"]
    return {
        "id": account.new_id("tax_li"),
        "object": "tax.calculation_line_item",
        "amount": given["amount"],
        "amount_tax": charged,
        "livemode": False,
        "metadata": given.get("metadata"),
        "performance_location": None,
        "product": given.get("product"),
        "quantity": given.get("quantity", 1),
        "reference": reference,
        "tax_behavior": behavior,
        "tax_breakdown": [
            {
                "amount": charged,
                "jurisdiction": {
                    "country": address["country"],
                    "display_name": (place and place.state) or address["state"] or address["country"],
                    "level": place.level if place else "country",
                    "state": address["state"],
                },
                "sourcing": "destination",
                "tax_rate_details": _rate_details(details, place, named=True),
                "taxability_reason": reason,
                "taxable_amount": taxable if charged or reason == "standard_rated" else 0,
            }
        ],
        "tax_code": given.get("tax_code", _GENERAL),
    }


def _breakdown(lines: list[Wire], details: Wire, place: Jurisdiction | None) -> list[Wire]:
    found = []
    for behavior in ("exclusive", "inclusive"):
        same = [line for line in lines if line["tax_behavior"] == behavior]
        if same:
            entry = {
                "amount": sum(line["amount_tax"] for line in same),
                "inclusive": behavior == "inclusive",
                "tax_rate_details": _rate_details(details, place, named=False),
                "taxability_reason": _reason(details, place),
                "taxable_amount": sum(line["tax_breakdown"][0]["taxable_amount"] for line in same),
            }
            found.append(entry)
    return found


def list_lines(call: Call) -> Wire:
    row = call.named("tax.calculation", "calculation")
    return slice_of(call.account.calculation_lines[row["id"]], f"/v1/tax/calculations/{row['id']}/line_items", call.params)


_LINE: Shape = {
    "amount": Required(integer()),
    "metadata": metadata,
    "product": text(unset=False),
    "quantity": integer(1),
    "reference": text(500, unset=False),
    "tax_behavior": choice("exclusive", "inclusive"),
    "tax_code": text(unset=False),
}
_DETAILS: Shape = {
    "address": group(ADDRESS | {"country": Required(text(2, unset=False))}),
    "address_source": choice("billing", "shipping"),
    "tax_ids": array(group({"type": Required(text(unset=False)), "value": Required(text(unset=False))})),
    "taxability_override": choice("customer_exempt", "none", "reverse_charge"),
}
_CALCULATION: Shape = EXPAND | {
    "currency": Required(text(3, unset=False)),
    "customer": text(unset=False),
    "customer_details": group(_DETAILS),
    "line_items": Required(array(group(_LINE), 1000)),
    "tax_date": integer(0),
}
OPERATIONS = (
    Operation("POST", "/v1/tax/calculations", calculate, _CALCULATION),
    Operation("GET", "/v1/tax/calculations/{calculation}/line_items", list_lines, PAGE),
    retrieve("/v1/tax/calculations/{calculation}", "tax.calculation"),
)
