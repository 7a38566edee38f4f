"""Every endpoint that is imitated, one module a resource."""

from sandbox.stripe.resources import (
    credit_notes,
    customers,
    events,
    invoices,
    meters,
    payments,
    prices,
    products,
    schedules,
    subscription_items,
    subscriptions,
    tax,
    tax_rates,
    webhook_endpoints,
)

OPERATIONS = (
    *customers.OPERATIONS,
    *products.OPERATIONS,
    *prices.OPERATIONS,
    *tax_rates.OPERATIONS,
    *tax.OPERATIONS,
    *meters.OPERATIONS,
    *subscriptions.OPERATIONS,
    *subscription_items.OPERATIONS,
    *schedules.OPERATIONS,
    *invoices.OPERATIONS,
    *payments.OPERATIONS,
    *credit_notes.OPERATIONS,
    *events.OPERATIONS,
    *webhook_endpoints.OPERATIONS,
)
