"""Who is who and what is called what where: effective-dated mappings, cross-references, attribute ownership."""

from datetime import date
from enum import StrEnum
from typing import Annotated

from pydantic import Field

from contracts.models.base import Code, ConnectionId, Day, Id, Instant, Key, Model, Name, classified
from contracts.models.reference import Reference

Value = Annotated[str, Field(min_length=1, max_length=500)]
PersonalValue = Annotated[str, Field(min_length=1, max_length=500, json_schema_extra=classified("confidential"))]
ANY = "any"


class MappingKind(StrEnum):
    """What a mapping translates.

    charge: sku → annual, monthly_usage, service, goods or bundle · bundle: sku → "SKU:quantity, SKU:quantity" ·
    item: sku → the ERP's item code · price: "sku/CURRENCY" → billing's price key ·
    tax_code: "legal entity/country" → the ERP's tax code · department, class, location: charge → the ERP's id of it ·
    account: charge → the ERP's account that its revenue is posted to.
    """

    CHARGE = "charge"
    BUNDLE = "bundle"
    ITEM = "item"
    PRICE = "price"
    TAX_CODE = "tax_code"
    DEPARTMENT = "department"
    CLASS = "class"
    LOCATION = "location"
    ACCOUNT = "account"


class NewMapping(Model):
    """From `valid_from` on, `source` means `target` in `connection` ("any": in all); what it meant before stays on record."""

    kind: MappingKind
    connection: ConnectionId = ANY
    source: Value
    target: Value
    valid_from: Day


class Mapping(NewMapping):
    """A mapping on record: valid in [valid_from, valid_to), written by `author`."""

    id: Annotated[int, Field(ge=1)]
    valid_to: date | None = None
    author: Name
    recorded_at: Instant


class Mappings(Model):
    items: Annotated[list[Mapping], Field(max_length=1000)]


class CrossReference(Model):
    """The object of a platform that stands for our key; unique both ways per connection and kind."""

    key: Key
    reference: Reference
    recorded_at: Instant


class CrossReferences(Model):
    items: Annotated[list[CrossReference], Field(max_length=1000)]


class Attribute(Model):
    """One attribute of a customer, the system that owns it, and who last set it."""

    name: Code
    value: PersonalValue | None = None
    owner: Code
    set_by: Code
    set_at: Instant


class Proposal(Model):
    """A value that came from a system that does not own the attribute; it waits for a person."""

    id: Id
    name: Code
    value: PersonalValue | None = None
    proposed_by: Code
    proposed_at: Instant


class MasterRecord(Model):
    """The customer under our key, attribute by attribute, with what others would have it be."""

    key: Key
    attributes: Annotated[list[Attribute], Field(max_length=100)]
    proposals: Annotated[list[Proposal], Field(max_length=100)]
    references: Annotated[list[CrossReference], Field(max_length=100)]


class ProposalDecision(Model):
    accept: bool
