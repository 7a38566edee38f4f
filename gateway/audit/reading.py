"""A kept entry as the contract shows it."""

from contracts.models.audit import AuditEntries, AuditEntry
from gateway.audit.chain import Link
from gateway.audit.entry import moment, told
from gateway.audit.store import AuditStore, Wanted


def shown(link: Link) -> AuditEntry:
    said = {name: value for name, value in told(link.text).items() if name in AuditEntry.model_fields}
    return AuditEntry.model_validate({**said, "at": moment(said["at"]), "chain": link.chain, "seq": link.seq, "seal": link.seal})


async def page(store: AuditStore, wanted: Wanted, cursor: str | None, limit: int) -> AuditEntries:
    """Raises Invalid for a cursor that is none."""
    links, following = await store.page(wanted, cursor, limit)
    return AuditEntries(items=[shown(link) for link in links], next=following)
