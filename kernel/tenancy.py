"""How an operation is bound to the accounts of whoever calls: declared in code, drafted into the contract, enforced from there.

An account is "connection/account_id": the CRM connection, and the CRM's own id. A caller who is restricted to certain accounts
reaches only operations that are open to partners (audience `partner` or `public`) and say here how they are bound.
"""

from collections.abc import Mapping
from typing import Any

EXTENSION = "x-trivium-tenancy"
AUDIENCE = "x-trivium-audience"
OPEN = frozenset({"partner", "public"})

Tenancy = Mapping[str, Any]
FILTERED: Tenancy = {"bound": "filtered"}  # the layer behind the door shows and takes only what the caller may see


def by_path(*names: str) -> Tenancy:
    """The path parameters that name the account, connection first."""
    return {"bound": "path", "account": list(names)}


def by_body(*pointers: str) -> Tenancy:
    """The JSON pointers (RFC 6901) into the body that name the account, connection first."""
    return {"bound": "body", "account": list(pointers)}


def by_query(*names: str) -> Tenancy:
    """The query parameters that name the account, connection first."""
    return {"bound": "query", "account": list(names)}


def without_customer_data(reason: str) -> Tenancy:
    """Nothing in it belongs to anybody; the reason says why."""
    return {"bound": "none", "reason": reason}
