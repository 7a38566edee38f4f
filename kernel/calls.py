"""What an operation may ask of the layers below it: declared in code, drafted into the contract, drawn on the map.

A call is named as `system/erp/v1#get_customer`: the API with its major version, and the operationId.
"""

CALLS = "x-trivium-calls"


def crm(*operations: str) -> tuple[str, ...]:
    return calls("system/crm/v1", *operations)


def erp(*operations: str) -> tuple[str, ...]:
    return calls("system/erp/v1", *operations)


def billing(*operations: str) -> tuple[str, ...]:
    return calls("system/billing/v1", *operations)


def calls(api: str, *operations: str) -> tuple[str, ...]:
    """Operations of one API and major version."""
    return tuple(f"{api}#{operation}" for operation in operations)
