"""Actual use of contracts: which client was seen with which top-level field, in how many of the calls that were looked at."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from contracts.models.base import Model
from contracts.models.partner import Calls, ClientId, PartnerId


class Part(StrEnum):
    """Where a field stands: a query parameter, a member of the body that was sent, or of the one that was answered.

    `call` is the call itself, whatever its fields.
    """

    CALL = "call"
    QUERY = "query"
    REQUEST = "request"
    RESPONSE = "response"


class FieldUseLine(Model):
    """In how many calls one client was seen with one field of an operation on one day (UTC), of those that were looked at.

    `field` is `*` for names that the contract does not know, and absent where `part` is `call`.
    """

    day: Annotated[str, Field(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$")]
    client_id: ClientId
    partner: PartnerId | None = None
    operation: Annotated[str, Field(max_length=255)]
    version: Annotated[str, Field(max_length=32)]
    part: Part
    field: Annotated[str, Field(max_length=255)] | None = None
    calls: Calls


class Consumption(Model):
    """A page of actual use, the latest day first; `next` is the cursor of the following page."""

    items: Annotated[list[FieldUseLine], Field(max_length=500)]
    next: Annotated[str, Field(max_length=1800)] | None = None
