"""Services and mirrors over the gateway's own API, as the process that answers sees them."""

from collections.abc import Sequence

from contracts.models.upstream import (
    Comparison,
    MirrorDifference,
    Mirrors,
    MirrorStanding,
    Services,
    ServiceStanding,
    UpstreamStanding,
)
from gateway.house import House
from gateway.services.mirror import Mirror
from gateway.upstreams.cluster import Cluster
from kernel.api import Api

MOST_NOTES, LONGEST_NOTE = 2000, 2000  # characters of one


def declare_mirrors(api: Api, house: House) -> None:
    @api.get("/services", scope="gateway:read")
    async def list_services() -> Services:
        """The upstreams of services that are not ours: which take their turn, what they answered, and what is not checked."""
        opened = house.foreign.in_force
        if opened is None:
            return Services(items=[])
        return Services(items=[_service(cluster, opened.notes.get(cluster.name, ())) for cluster in opened.clusters])

    @api.get("/mirrors", scope="gateway:read")
    async def list_mirrors() -> Mirrors:
        """How the answers of shadows compare, by operation, and where the latest of them differed."""
        opened = house.foreign.in_force
        return Mirrors(items=[_mirror(mirror) for mirror in (opened.mirrors if opened is not None else ())])


def _service(cluster: Cluster, notes: Sequence[str]) -> ServiceStanding:
    standing = [
        UpstreamStanding(
            address=at.address.authority, usable=at.condition.preferred, healthy=at.condition.healthy,
            under_way=at.under_way, answered=at.answered, failed=at.failed,
        )
        for at in cluster.endpoints
    ]  # fmt: skip
    shown = [note[:LONGEST_NOTE] for note in notes[:MOST_NOTES]]
    return ServiceStanding(api=cluster.name, upstreams=standing, repeated=cluster.repeated, notes=shown)


def _mirror(mirror: Mirror) -> MirrorStanding:
    operations = [Comparison(operation=name, **counts) for name, counts in mirror.by_operation().items()]
    latest = [
        MirrorDifference(
            operation=each.operation, at=each.at, real_status=each.real_status, shadow_status=each.shadow_status,
            pointers=list(each.pointers),
        )
        for each in reversed(mirror.latest)
    ]  # fmt: skip
    return MirrorStanding(name=mirror.rule.name, api=mirror.rule.api, operations=operations, latest=latest)
