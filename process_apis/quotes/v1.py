"""Quotes v1: may this quote become an order?"""

from contracts.models.operation import CrmRecord
from contracts.models.validation import QuoteValidation
from contracts.ports.process import QuoteProcess
from kernel.api import Api, Quota
from kernel.calls import billing, crm, erp
from kernel.problem import NotFound
from kernel.tenancy import FILTERED

CHECKS = (
    *crm("get_quote", "get_account"),
    *erp("get_customer", "get_credit", "list_items", "find_tax_code", "get_legal_entity", "find_period"),
    *billing("get_customer", "list_prices", "preview_tax"),
)


def quotes_api(quotes: QuoteProcess) -> Api:
    api = Api(
        "process", "quotes", "1.0.0", "Quotes", "Decisions about quotes, answered while a person waits.", "quote-to-cash",
        {"quotes:validate": "Validate quotes"}, audience="partner",
    )  # fmt: skip

    @api.post("/validations", scope="quotes:validate", problems=(NotFound,), quota=Quota(300), tenancy=FILTERED, calls=CHECKS)
    async def validate_quote(request: CrmRecord) -> QuoteValidation:
        """Checks the quote against CRM, ERP and billing, all at once: approval, expiry, customer, credit, items, stock, prices,
        rates, tax codes, tax, legal entity and period. Each check answers `ok`, `not_ok` with findings, or `could_not_check`;
        nothing is written anywhere.
        """
        return await quotes.validate_quote(request)

    return api
