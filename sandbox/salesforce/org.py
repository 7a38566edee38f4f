"""One org: its rows, open queries, sessions and outbound messages, and how many API calls it has answered."""

from collections.abc import Callable
from datetime import datetime

from sandbox.faults import Faults
from sandbox.salesforce.oauth import Sessions
from sandbox.salesforce.outbound import Outbound
from sandbox.salesforce.query import Queries
from sandbox.salesforce.seed import seed
from sandbox.salesforce.store import Store

DAILY_LIMIT = 100_000  # shown, not enforced: the limit is a fault to switch on


class Org:
    """A seeded org, as at every start."""

    def __init__(self, clock: Callable[[], datetime], certificates: dict[str, str], faults: Faults) -> None:
        self.store = Store(clock)
        self.sessions = Sessions(self.store, certificates)
        self.queries = Queries(self.store)
        self.calls = 0
        seed(self.store)
        self.outbound = Outbound(self.store, faults)  # after the seed: nobody is told of it
        self.store.on_commit = self.outbound.changed

    @property
    def remaining(self) -> int:
        return max(0, DAILY_LIMIT - self.calls)

    @property
    def limit_info(self) -> str:
        return f"api-usage={self.calls}/{DAILY_LIMIT}"
