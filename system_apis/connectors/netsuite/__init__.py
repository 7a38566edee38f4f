"""Oracle NetSuite over SuiteTalk REST and SuiteQL, behind the Erp port."""

from system_apis.connectors.netsuite.connector import connect

__all__ = ["connect"]
