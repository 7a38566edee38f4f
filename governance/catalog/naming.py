"""How things are called in the catalog: APIs by key, and where the page of each is, relative to the catalog."""

from urllib.parse import quote

from governance.contract import Contract


def key_of(contract: Contract) -> str:
    """process/quotes/v1"""
    return f"{contract.api}/v{contract.version.partition('.')[0] or '0'}"


def api_page(key: str) -> str:
    return f"apis/{quote(key)}"


def operation_page(key: str, operation: str) -> str:
    return f"apis/{quote(key)}/operations/{quote(operation, safe='')}"


def schema_page(key: str, schema: str) -> str:
    return f"apis/{quote(key)}/schemas/{quote(schema, safe='')}"
