"""Stripe, API release 2026-10-28.endive, behind the Billing port."""

from system_apis.connectors.stripe.connector import connect

__all__ = ["connect"]
