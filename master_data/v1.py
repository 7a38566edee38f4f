"""Master data v1: mappings, cross-references and attribute ownership, for those who look after them."""

from typing import Annotated

from fastapi import Path, Query

from contracts.models.master_data import (
    CrossReferences,
    Mapping,
    MappingKind,
    Mappings,
    MasterRecord,
    NewMapping,
    ProposalDecision,
)
from kernel.api import Api, IdempotencyKey
from kernel.context import caller
from kernel.problem import NotFound
from master_data.book import MasterData

CustomerKey = Annotated[str, Path(min_length=1, max_length=160, pattern=r"^[A-Za-z0-9][A-Za-z0-9._:-]*$")]
SHOWN = 1000  # mappings in one answer
OF_RECORD = {"if_match": "optional", "of": "get_master_record"}  # who decides may say what it has seen
ProposalId = Annotated[str, Path(pattern=r"^[0-9a-f]{24}$")]


def master_data_api(book: MasterData) -> Api:
    api = Api(
        "ops", "master_data", "1.0.0", "Master data", "Mappings, cross-references and attribute ownership.", "data-stewardship",
        {"master-data:read": "Read mappings and master records", "master-data:write": "Change mappings, decide proposals"},
    )  # fmt: skip

    @api.get("/mappings", scope="master-data:read", cache={"ttl": 5})
    async def list_mappings(
        kind: MappingKind | None = None, source: Annotated[str | None, Query(max_length=500)] = None
    ) -> Mappings:
        """Every version of every mapping, at most 1,000; filter by kind and source."""
        return Mappings(items=list(await book.mappings.list(kind, source, SHOWN)))

    @api.post("/mappings", scope="master-data:write", status=201, replay={"upstream_dedupes": True})
    async def add_mapping(new: NewMapping, idempotency_key: IdempotencyKey) -> Mapping:
        """Adds a version of a mapping, recorded under the caller's name. Orders held for want of it can then be released."""
        return await book.mappings.add(new, caller.get().client or "unknown")

    @api.get("/customers/{customer_key}", scope="master-data:read")
    async def get_master_record(customer_key: CustomerKey) -> MasterRecord:
        """The customer attribute by attribute, with proposals of systems that do not own them, and its cross-references."""
        return await _record(book, customer_key)

    @api.get("/customers/{customer_key}/references", scope="master-data:read")
    async def list_cross_references(customer_key: CustomerKey) -> CrossReferences:
        """Every platform object that stands for the customer."""
        return CrossReferences(items=await book.references.of(customer_key))

    @api.put("/customers/{customer_key}/proposals/{proposal_id}", scope="master-data:write", conditional=OF_RECORD)
    async def decide_proposal(customer_key: CustomerKey, proposal_id: ProposalId, decision: ProposalDecision) -> MasterRecord:
        """Accepts or dismisses a proposed value."""
        await book.ownership.decide(customer_key, proposal_id, accept=decision.accept)
        return await _record(book, customer_key)

    return api


async def _record(book: MasterData, key: str) -> MasterRecord:
    attributes, references = await book.ownership.attributes(key), await book.references.of(key)
    if not attributes and not references:
        raise NotFound(f"there is no customer {key}")
    return MasterRecord(key=key, attributes=attributes, proposals=await book.ownership.proposals(key), references=references)
