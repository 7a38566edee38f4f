"""Clients that were seen to use an API count as its applications do: what they were seen with is what they rely on."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from governance.consumers.declared import Application, Use

UNKNOWN = "*"  # a name that the contract does not have


@dataclass(frozen=True)
class Seen:
    """One client with one operation of an API. `fields`: top-level names; none: any may matter."""

    client: str
    partner: str
    operation: str  # its operationId
    fields: frozenset[str]


def seen_applications(api: str, seen: Iterable[Seen], declared: Sequence[Application]) -> list[Application]:
    """One for each client, by its name, and by that of the application that says it is its client. `api`: with its major."""
    by_client: dict[str, list[Seen]] = {}
    for one in seen:
        by_client.setdefault(one.client, []).append(one)
    return [_application(api, client, found, declared) for client, found in sorted(by_client.items())]


def _application(api: str, client: str, seen: Sequence[Seen], declared: Sequence[Application]) -> Application:
    owner = next((one for one in declared if client in one.clients), None)
    partner = f"partner {seen[0].partner}" if seen[0].partner else ""
    uses = tuple(Use(one.operation, frozenset() if UNKNOWN in one.fields else one.fields) for one in seen)
    return Application(
        name=f"{client} of {owner.name}" if owner else client, team=owner.team if owner else partner,
        contact=owner.contact if owner else "", clients=frozenset({client}), uses={api: uses},
    )  # fmt: skip
