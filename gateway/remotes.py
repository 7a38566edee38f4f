"""What lies in another process of a split deployment, as the layer above sees it: ports over HTTP, made from their contracts."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import yaml

from contracts.ports.process import CustomerProcess, OnboardingProcess, OrderProcess, QuoteProcess
from contracts.ports.system import Billing, Crm, Erp
from gateway.house import CONTRACTS, House
from gateway.oauth.hops import unrestricted
from gateway.upstreams.cluster import Cluster
from gateway.upstreams.target import INNER, Upstream
from kernel import http
from kernel.api import Api
from kernel.context import caller
from kernel.remote import Headers, remote
from kernel.settings import BadSettings

P = TypeVar("P")
SECONDS = 30.0  # the longest any of our own processes waits for another


@dataclass(frozen=True)
class Processes:
    """The process layer as the layer above sees it."""

    onboardings: OnboardingProcess
    quotes: QuoteProcess
    orders: OrderProcess
    customers: CustomerProcess


class RemoteSystems:
    """The system layer in another process: each port is a client made from its contract."""

    def __init__(self, house: House) -> None:
        self._house, self._url = house, house.settings.split.system
        self._made: dict[tuple[str, str], Any] = {}

    def crm(self, connection: str) -> Crm:
        return self._port(Crm, "system/crm", connection)

    def billing(self, connection: str) -> Billing:
        return self._port(Billing, "system/billing", connection)

    def erp(self, connection: str) -> Erp:
        return self._port(Erp, "system/erp", connection)

    def _port(self, port: type[P], api: str, connection: str) -> P:
        fixed = {"connection": connection}
        made: P = self._made.get((api, connection)) or _remote(self._house, port, api, self._url, fixed, self._headers)
        self._made[api, connection] = made
        return made

    async def _headers(self, scopes: frozenset[str]) -> Mapping[str, str]:
        """The processes above have settled what the caller may see; the system layer knows no partners."""
        token = caller.set(unrestricted(caller.get()))
        try:
            return await self._house.internal_headers(scopes)
        finally:
            caller.reset(token)


def remote_processes(house: House) -> Processes:
    url = house.settings.split.process
    return Processes(
        _remote(house, OnboardingProcess, "process/onboarding", url), _remote(house, QuoteProcess, "process/quotes", url),
        _remote(house, OrderProcess, "process/orders", url), _remote(house, CustomerProcess, "process/customers", url),
    )  # fmt: skip


def _remote(
    house: House, port: type[P], api: str, url: str, fixed: Mapping[str, str] | None = None, headers: Headers | None = None
) -> P:
    client = http.client(url, timeout=SECONDS)
    house.closing.push_async_callback(client.aclose)
    promised = yaml.load((CONTRACTS / api / "v1.yaml").read_text(encoding="utf-8"), yaml.CSafeLoader)
    return remote(port, promised, client, headers or house.internal_headers, system=api, fixed=fixed or {})


def upstream_of(house: House, api: Api) -> Upstream:
    split = house.settings.split
    url = {"experience": split.experience, "process": split.process, "ops": split.process, "system": split.system}[api.layer]
    if not url:
        raise BadSettings(f"[split] does not say where the {api.layer} layer is")
    cluster = Cluster(api.id, [url], INNER)
    house.closing.callback(cluster.close)
    return Upstream(cluster, proof=house.proof)
