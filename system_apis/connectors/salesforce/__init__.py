"""Salesforce, REST API v66.0 by default, behind the Crm port."""

from system_apis.connectors.salesforce.connector import connect

__all__ = ["connect"]
