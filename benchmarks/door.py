"""(a) CPU per request: the governed call over the same FastAPI operation bare, and a hand-made FastAPI app beside them.

The contract, the application and the door are the real ones; behind them a port that answers at once. Only the quota is raised,
so that a limit that is charged at every call is never used up.
"""

import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import cast

from fastapi import FastAPI
from starlette.types import ASGIApp

from benchmarks.asgi import Request, drive, living, nothing
from benchmarks.measure import cpu_per_call
from benchmarks.peer import peer_app
from contracts.models.party import Customer, NewCustomer
from contracts.models.reference import Reference
from contracts.ports.system import Erp, Systems
from gateway.direct import Direct
from gateway.governed import open_decisions
from gateway.house import House
from gateway.opening import open_house
from gateway.pipeline import Limit, Operation
from kernel.settings import Settings, Telemetry
from system_apis.erp.v1 import erp_api

ROUNDS, CALLS = 31, 400
PLENTY = 10**9  # calls a minute
KEY = {"Idempotency-Key": "bench-0001"}
BODY = NewCustomer.model_validate(
    {
        "key": "ACC-1001", "legal_name": "Northwind Devices Inc", "email": "ap@northwind.example", "currency": "USD",
        "address": {"line1": "1 Pier Ave", "city": "San Francisco", "postal_code": "94111", "country": "US", "state": "CA"},
        "legal_entity": "US01", "terms": {"payment_days": 30, "credit_limit": {"amount": "50000.00", "currency": "USD"}},
    }
)  # fmt: skip


class InstantErp:
    """An ERP that has one customer and no latency; also the port `Systems` around it."""

    def __init__(self) -> None:
        reference = Reference(connection="netsuite", kind="customer", id="1012")
        self._customer = Customer(
            reference=reference, key="ACC-1001", legal_name="Northwind Devices Inc", currency="USD", active=True
        )

    def erp(self, _: str) -> Erp:
        return cast(Erp, self)

    async def get_customer(self, _: str) -> Customer:
        return self._customer

    async def create_customer(self, _: NewCustomer, __: str) -> Customer:
        return self._customer


@dataclass(frozen=True)
class Contestants:
    """Three applications that answer the same two requests, and the token that two of them ask for."""

    bare: ASGIApp
    governed: ASGIApp
    peer: ASGIApp
    token: str

    def requests(self) -> dict[str, Request]:
        own = {"Authorization": f"Bearer {self.token}"}
        read = Request("GET", "/system/erp/v1/netsuite/customers/1012", 200, own)
        body = BODY.model_dump_json(exclude_none=True).encode()
        return {"read": read, "write": Request("POST", "/system/erp/v1/netsuite/customers", 201, {**own, **KEY}, body)}


@asynccontextmanager
async def contestants() -> AsyncIterator[Contestants]:
    """Everything opened as `trivium serve` opens it, in a data directory of its own."""
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(data=Path(folder), telemetry=Telemetry(log_level="warning"))
        async with open_house(settings, "bench") as house:
            erp = InstantErp()
            token = house.oauth.tokens.issue("bench", ["erp:read", "erp:write"])
            governed = _governed(house, erp_api(cast(Systems, erp)).app)
            key = house.oauth.trust.active_key().public_jwk()
            peer = peer_app(cast(Erp, erp), key, house.oauth.names.issuer, house.oauth.names.audiences[0])
            async with living(governed):
                yield Contestants(erp_api(cast(Systems, erp)).app, governed, peer, token)


def _governed(house: House, app: FastAPI) -> ASGIApp:
    open_decisions(house)  # as every process that serves does
    house.replays = None  # the bare application keeps no answers either
    served = tuple(_with_plenty(operation) for operation in house.promised if operation.api == "system/erp")
    return house.door(served, {"system/erp": Direct(app)}, issues_tokens=True)


def _with_plenty(operation: Operation) -> Operation:
    limits = {plan: tuple(_plenty(limit) for limit in each) for plan, each in operation.limits.items()}
    return replace(operation, limits=limits)


def _plenty(limit: Limit) -> Limit:
    return replace(limit, quota=PLENTY)


async def in_process(rounds: int = ROUNDS, calls: int = CALLS) -> dict[str, dict[str, list[float]]]:
    """Seconds per call and round, less those of the driving: request → contestant → figures."""
    found = {}
    async with contestants() as those:
        for name, request in those.requests().items():
            apps = {"driver": nothing(request.expect), "bare": those.bare, "governed": those.governed, "peer": those.peer}
            raced = {label: partial(drive, app, request) for label, app in apps.items()}
            seconds = await cpu_per_call(raced, rounds=rounds, calls=calls)
            driving = seconds.pop("driver")
            found[name] = {label: [s - d for s, d in zip(each, driving, strict=True)] for label, each in seconds.items()}
    return found
