"""Money is never a floating point number: it is an amount in decimal digits beside its currency."""

import re
from collections.abc import Iterator

from governance.contract import Contract
from governance.lint.rule import Violation, rule

_MONEY = re.compile(
    r"(?:^|_)(amount|price|total|subtotal|balance|cost|fee|charge|credit_limit|discount_amount|tax_amount|revenue)$"
)


@rule("exact-money", 31, see="Zalando 173; ISO 4217", fix='use {"amount": "12.30", "currency": "EUR"}')
def exact_money(contract: Contract) -> Iterator[Violation]:
    for found in contract.schemas:
        for name, schema in found.node.raw("properties").items():
            kind = schema.followed()
            if _MONEY.search(name) and kind.get("type") in ("number", "integer"):
                yield Violation(schema, f"{name} is money, as a bare {kind.get('type')}")
