"""What an order run is given, remembers and answers."""

from contracts.models.base import Code, Days, Key, Model, Months
from contracts.models.intake import NewOrder
from contracts.models.money import Money
from contracts.models.operation import CrmRecord
from contracts.models.order import NewSalesOrder, SalesOrder
from contracts.models.reference import Reference
from contracts.models.subscription import NewSubscription, Subscription
from contracts.models.validation import QuoteValidation

PROCESS = "order"
CANCELLATION = "order_cancellation"


class OrderRequest(Model):
    """The order asked for, its key everywhere, and the validation it was accepted on."""

    order: NewOrder
    key: Key
    validation: QuoteValidation


class OrderPlan(Model):
    """The order enriched: who sells, who buys, and exactly what each platform is to be told."""

    legal_entity: Code
    customer_key: Key
    erp: Code
    billing: Code
    crm_account: Reference
    opportunity: Reference | None = None
    quote: Reference
    erp_customer: Reference
    billing_customer: Reference
    total: Money
    contract_months: Months
    payment_days: Days
    sales_order: NewSalesOrder
    subscription: NewSubscription | None = None


class Placed(Model):
    """The order in every platform."""

    sales_order: SalesOrder
    subscription: Subscription | None = None


class CancellationRequest(Model):
    """A finished order that is to be taken back."""

    order_key: Key
    quote: CrmRecord
    erp: Code
    sales_order_id: Code
    billing: Code
    subscription_id: Code | None = None
    reason: Code


class Cancelled(Model):
    sales_order: SalesOrder
    subscription: Subscription | None = None
