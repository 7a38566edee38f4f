"""Stripe on this machine, release 2026-10-28.endive: stateful, in memory, the same world at each start."""

import time
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp

from sandbox.faults import Faults, Kind
from sandbox.stripe import errors
from sandbox.stripe.account import Account
from sandbox.stripe.app import Application, RememberedFailure, headers_for, refused
from sandbox.stripe.deliveries import RETRY_AFTER, Deliveries
from sandbox.stripe.resources import OPERATIONS
from sandbox.stripe.seed import seed

SEARCH_LAG = 1.0  # seconds until search sees a write; the vendor's own is usually under a minute


class Stripe:
    """The imitation: wire, control hooks and the account behind them."""

    name = "stripe"

    def __init__(self, clock: Callable[[], float], search_lag: float, retry_after: Sequence[float]) -> None:
        self.faults = Faults()
        self.certificates: dict[str, str] = {}
        self.account = Account(clock, search_lag)
        self.deliveries = Deliveries(self.account, self.faults, retry_after)
        self.application = Application(self.account, OPERATIONS, self.deliveries)
        self.app: ASGIApp = self.application
        seed(self.account)

    def reset(self) -> None:
        self.faults.clear()
        self.certificates.clear()
        self.deliveries.clear()
        self.application.clear()
        self.account.clear()
        seed(self.account)

    def records(self, kind: str) -> list[dict[str, Any]] | None:
        """The objects of one kind by their `object` name, oldest first; `billing.meter_event` as well."""
        if kind == "billing.meter_event":
            return list(self.account.meter_events.values())
        table = self.account.tables.get(kind)
        return None if table is None else [_plain(row) for row in table.rows.values()]

    def refusal(self, kind: Kind, request: Request) -> Response | None:
        match kind:
            case "server_error":
                return RememberedFailure(self.application, request)
            case "rate_limited":
                refusal = errors.rate_limited()
            case "locked_record":
                refusal = errors.locked()
            case _:
                return None
        request_id = self.account.new_id("req")
        return refused(refusal, request_id, headers_for(request, request_id))


def _plain(value: Any) -> Any:
    """The control endpoint writes plain JSON, which has no decimals: they become text."""
    if isinstance(value, dict):
        return {k: _plain(v) for k, v in value.items()}
    if isinstance(value, list):
        return [_plain(v) for v in value]
    return str(value) if isinstance(value, Decimal) else value


def imitation(
    clock: Callable[[], float] = time.time, search_lag: float = SEARCH_LAG, retry_after: Sequence[float] = RETRY_AFTER
) -> Stripe:
    """A fresh Stripe in its seeded world. `search_lag` and `retry_after` (webhook retries) are seconds."""
    return Stripe(clock, search_lag, retry_after)
