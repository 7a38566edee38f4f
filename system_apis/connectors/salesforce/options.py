"""A connection's options: which fields of this org hold what, and what to assume where the org says nothing."""

from collections.abc import Mapping
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from contracts.models.base import Months
from contracts.models.money import Currency
from kernel.settings import BadSettings, Connection

CURRENCY = "CurrencyIsoCode"  # exists only where the org has several currencies

FieldName = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_]{0,254}$")]
CustomField = Annotated[str, Field(pattern=r"^(?:[A-Za-z][A-Za-z0-9_]{0,254})?$")]  # "": this org has no such field


class Options(BaseModel):
    """Every member that ends in `_field` names a field of the org; a custom one that is empty is neither read nor written."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    api_version: Annotated[str, Field(pattern=r"^[1-9][0-9]\.0$")] = "66.0"
    jwt_audience: Annotated[str, Field(pattern=r"^https?://[^\s/]+$")] = "https://login.salesforce.com"
    approved_statuses: Annotated[list[str], Field(min_length=1)] = ["Approved", "Accepted"]
    default_currency: Currency | None = None
    default_contract_months: Months | None = None

    account_number_field: FieldName = "AccountNumber"
    country_field: FieldName = "BillingCountry"
    state_field: FieldName = "BillingState"
    tax_id_field: CustomField = "Tax_Id__c"
    email_field: CustomField = "Email__c"
    active_field: CustomField = "IsActive__c"
    erp_customer_id_field: CustomField = "ERP_Id__c"
    billing_customer_id_field: CustomField = "Billing_Account_Id__c"
    order_key_field: CustomField = "Gateway_Order_Id__c"
    erp_order_number_field: CustomField = "ERP_Order_Number__c"
    billing_subscription_id_field: CustomField = "Billing_Subscription_Id__c"
    contract_months_field: CustomField = "Contract_Months__c"
    contract_start_field: CustomField = "Contract_Start__c"
    sku_field: FieldName = "ProductCode"

    @property
    def named(self) -> Mapping[str, str]:
        """The option that names each field of the org."""
        chosen = {field: option for option, field in self.model_dump().items() if option.endswith("_field") and field}
        return {**chosen, CURRENCY: "default_currency"}


def options(connection: Connection) -> Options:
    """Raises BadSettings naming the option that cannot be used."""
    try:
        return Options.model_validate(dict(connection.options), strict=True)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise BadSettings(f"connection {connection.id!r}: options.{where}: {first['msg']}") from None
