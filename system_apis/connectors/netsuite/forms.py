"""Our models as NetSuite's records. Pure functions; what is absent with us is left out, not sent as null."""

from collections.abc import Mapping

from contracts.models.order import NewSalesOrder, SalesOrderLine
from contracts.models.party import Address, CreditTerms, CustomerStatus, NewCustomer
from kernel.problem import Refused
from system_apis.connectors.netsuite.body import Body

DIMENSIONS = ("department", "class", "location")


def reference(id: str) -> Body:
    return {"id": id}


def customer_form(new: NewCustomer, currency: str, terms: str | None) -> Body:
    """`currency` and `terms` are internal ids. The external id comes with the URL."""
    form: Body = {
        "companyName": new.legal_name,
        "isPerson": False,
        "email": new.email,
        "subsidiary": reference(new.legal_entity),
        "currency": reference(currency),
        "defaultTaxReg": new.tax_id,
        "addressBook": {"items": [_address_line(new.address, new.legal_name)]},
    }
    return _present(form) | (terms_form(new.terms, terms) if new.terms and terms else {})


def _address_line(address: Address, addressee: str) -> Body:
    book: Body = {
        "addressee": addressee,
        "addr1": address.line1,
        "city": address.city,
        "state": address.state,
        "zip": address.postal_code,
        "country": reference(address.country),
    }
    return {"defaultBilling": True, "defaultShipping": True, "addressBookAddress": _present(book)}


def terms_form(granted: CreditTerms, terms: str) -> Body:
    return {"terms": reference(terms), "creditLimit": granted.credit_limit.amount}


def status_form(status: CustomerStatus) -> Body:
    return {"isInactive": status == "blocked"}


def sales_order_form(new: NewSalesOrder, currency: str, tax_items: Mapping[str, str], correlation: str) -> Body:
    """`tax_items`: internal ids by code. A line tells its amount and no rate: NetSuite divides, and keeps the amount."""
    form: Body = {
        "entity": reference(new.customer.id),
        "subsidiary": reference(new.legal_entity),
        "currency": reference(currency),
        "tranDate": new.ordered_on.isoformat(),
        "otherRefNum": new.customer_reference,
        "memo": f"correlation {correlation}" if correlation else None,
        "item": {"items": [_line_form(line, tax_items) for line in new.lines]},
    }
    return _present(form)


def _line_form(line: SalesOrderLine, tax_items: Mapping[str, str]) -> Body:
    unknown = sorted(set(line.dimensions) - set(DIMENSIONS))
    if unknown:
        field, fix = f"lines.{line.line}.dimensions", f"use {', '.join(DIMENSIONS)}"
        raise Refused(f"NetSuite: there is no dimension {unknown[0]!r}", field=field, fix=fix)
    form: Body = {
        "item": reference(line.item),
        "quantity": line.quantity,
        "amount": line.amount,
        "taxCode": reference(tax_items[line.tax_code]) if line.tax_code else None,
    }
    return _present(form) | {name: reference(id) for name, id in line.dimensions.items()}


def closing_form(lines: list[int]) -> Body:
    return {"item": {"items": [{"line": number, "isClosed": True} for number in lines]}}


def _present(form: Body) -> Body:
    return {name: value for name, value in form.items() if value is not None}
