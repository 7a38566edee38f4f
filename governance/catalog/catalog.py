"""The catalog: every contract with what is known about it, as a certain reader may see it."""

from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from typing import Any

from governance.catalog.dependencies import Connected, Edge, Map, drawn_from
from governance.catalog.excerpt import contract_of, excerpt
from governance.catalog.history import Change, Version, changes, versions
from governance.catalog.naming import key_of
from governance.catalog.reader import EVERYTHING, Reader
from governance.catalog.search import Index, index_of
from governance.catalog.standing import Standing, standing
from governance.consumers.declared import Application
from governance.contract import Contract, Operation
from governance.lint.configuration import Configuration
from governance.publishing.evidence import Evidence

FACETS = ("layer", "domain", "owner", "lifecycle", "audience", "slo", "classification")
MOST_READERS = 32  # kinds of them, by what they see


@dataclass(frozen=True)
class Collected:
    """What a catalog is made of. `releases`: the evidence by API; `observed`: calls that were seen, beside the declared ones."""

    contracts: Sequence[Contract]
    releases: Mapping[str, Sequence[Evidence]] = field(default_factory=dict)
    applications: Sequence[Application] = ()
    connected: Sequence[Connected] = ()
    observed: Sequence[Edge] = ()
    lint: Configuration = field(default_factory=Configuration)


@dataclass(frozen=True, eq=False)
class Listed:
    """One major version of an API."""

    contract: Contract
    standing: Standing
    releases: tuple[Evidence, ...] = ()
    consumers: tuple[Application, ...] = ()

    @property
    def key(self) -> str:
        """process/quotes/v1"""
        return key_of(self.contract)

    @cached_property
    def operations(self) -> dict[str, Operation]:
        return {operation.id: operation for operation in (*self.contract.operations, *self.contract.webhooks)}

    @cached_property
    def schemas(self) -> dict[str, Any]:
        return dict(self.contract.component("schemas").items())

    def facet(self, name: str) -> str:
        return str(getattr(self.standing, name))


class Catalog:
    """As its reader sees it: nothing in here is kept from them."""

    def __init__(
        self, collected: Collected, reader: Reader, today: date, standings: Mapping[str, Standing] | None = None
    ) -> None:
        self.reader, self._collected, self._today = reader, collected, today
        self._standings = standings if standings is not None else _standings(collected, today)
        self._others: OrderedDict[Reader, Catalog] = OrderedDict()
        self.apis = {listed.key: listed for listed in sorted(self._listed(), key=lambda one: (_place(one), one.key))}

    def seen_by(self, reader: Reader) -> "Catalog":
        """Made once for each kind of reader; those of the readers that came last are kept."""
        if reader == self.reader:
            return self
        if reader not in self._others:
            self._others[reader] = Catalog(self._collected, reader, self._today, self._standings)
        self._others.move_to_end(reader)
        while len(self._others) > MOST_READERS:
            self._others.popitem(last=False)
        return self._others[reader]

    @cached_property
    def index(self) -> Index:
        return index_of((listed.key, listed.contract) for listed in self.apis.values())

    @cached_property
    def map(self) -> Map:
        whole = self.reader.everything
        applications = self._collected.applications if whole else ()
        connected = self._collected.connected if whole else ()
        observed = self._collected.observed if whole else ()
        return drawn_from([listed.contract for listed in self.apis.values()], applications, connected, observed)

    def versions(self, listed: Listed) -> list[Version]:
        """The releases of its API that this reader may know of, oldest first, and last what stands now."""
        return versions(listed.contract, self._released(listed))

    @cached_property
    def changes(self) -> list[Change]:
        """Of all APIs, the latest first."""
        found = [change for listed in self.apis.values() for change in changes(self.versions(listed), self._today)]
        return sorted(found, key=lambda change: (change.at, change.key), reverse=True)

    def changes_of(self, listed: Listed) -> list[Change]:
        return changes(self.versions(listed), self._today)

    def where(self, wanted: Mapping[str, str]) -> list[Listed]:
        """Those of which every facet named has the value named."""
        return [one for one in self.apis.values() if all(one.facet(name) == value for name, value in wanted.items())]

    def facets(self, shown: Sequence[Listed]) -> dict[str, dict[str, int]]:
        """By facet, how many of these have which value."""
        counted: dict[str, dict[str, int]] = {}
        for name in FACETS:
            values = [listed.facet(name) for listed in shown]
            counted[name] = {value: values.count(value) for value in sorted(set(values))}
        return counted

    def _released(self, listed: Listed) -> Iterator[tuple[Evidence, Contract]]:
        for evidence in listed.releases:
            if evidence.version.partition(".")[0] == listed.contract.version.partition(".")[0]:
                seen = excerpt(contract_of(evidence.document, f"{evidence.api} {evidence.version}"), self.reader)
                if seen is not None:
                    yield evidence, seen

    def _listed(self) -> Iterator[Listed]:
        whole = self.reader.everything
        for contract in self._collected.contracts:
            seen = excerpt(contract, self.reader)
            if seen is None:
                continue
            releases = tuple(self._collected.releases.get(contract.api, ()))
            using = tuple(one for one in self._collected.applications if one.uses_api(key_of(contract))) if whole else ()
            yield Listed(seen, self._standings[key_of(contract)], releases, using)


def catalog(collected: Collected, today: date) -> Catalog:
    """The whole of it; others see their part by `seen_by`."""
    return Catalog(collected, EVERYTHING, today)


def _standings(collected: Collected, today: date) -> dict[str, Standing]:
    """Judged once, whoever reads."""
    return {
        key_of(contract): standing(contract, collected.releases.get(contract.api, ()), collected.lint, today)
        for contract in collected.contracts
    }


def _place(listed: Listed) -> int:
    layers = ("experience", "process", "system")
    layer = listed.contract.layer
    return layers.index(layer) if layer in layers else len(layers)


def documents(found: Iterable[tuple[str, Mapping[str, Any]]]) -> list[Contract]:
    """Contracts of documents that were parsed by somebody else, by name."""
    return [contract_of(document, name) for name, document in found]
