from typing import Any

import pytest

from kernel.settings import BadSettings, Connection
from system_apis.connectors.salesforce.options import options


def of(**chosen: Any) -> Any:
    return options(Connection(id="sf", vendor="salesforce", base_url="http://127.0.0.1:1", options=chosen))


def test_every_field_of_the_org_is_found_back_by_its_option() -> None:
    chosen = of(tax_id_field="VAT__c", email_field="")

    assert chosen.named["VAT__c"] == "tax_id_field"
    assert chosen.named["ERP_Id__c"] == "erp_customer_id_field"
    assert "" not in chosen.named


@pytest.mark.parametrize(
    "wrong",
    [
        {"api_version": "66"}, {"api_version": 66.0}, {"api_version": "66.0/../.."}, {"tax_id_field": "Tax Id"},
        {"tax_id_field": "Id FROM Account"}, {"tax_id_field": "A.B"}, {"sku_field": ""}, {"approved_statuses": []},
        {"default_currency": "euro"}, {"default_contract_months": 0}, {"colour": "red"},
    ],
)  # fmt: skip
def test_an_option_that_cannot_be_used_is_named(wrong: dict[str, Any]) -> None:
    with pytest.raises(BadSettings, match=rf"'sf'.*options\.{next(iter(wrong))}"):
        of(**wrong)
