"""The counters of this process, bounded: the client and operation that nobody asked about for longest makes room.

A counter that holds calls under way is not forgotten, or more would be admitted than were granted.
"""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from functools import partial
from weakref import WeakValueDictionary

from gateway.limits.allowance import Allowance
from gateway.limits.charge import Charge, charged
from gateway.limits.counting import CELLS, Concurrent, Gcra, Period, Sliding, Verdict
from gateway.pipeline import Limit

AnyCell = Sliding | Gcra | Period | Concurrent
Shape = tuple[str, str, int, str]  # policy, kind, window, per
_TRIES = 8


class Account:
    """The cells of one client's use of one operation."""

    __slots__ = ("cells", "limits", "metered")

    def __init__(self, limits: tuple[Limit, ...], cells: list[AnyCell]) -> None:
        self.limits, self.cells = limits, cells
        self.metered = list(zip(limits, cells, strict=True))

    @property
    def busy(self) -> bool:
        return any(isinstance(cell, Concurrent) and cell.count for cell in self.cells)


class Accounts:
    """Every account of this process."""

    def __init__(self, cap: int) -> None:
        self._accounts: OrderedDict[tuple[str, str], Account] = OrderedDict()
        self._common: WeakValueDictionary[tuple[str, Shape], AnyCell] = WeakValueDictionary()
        self._cap = cap

    def spend(self, client: str, allowance: Allowance, now: int) -> Charge:
        """Takes one call from every limit, or from none. `now` in microseconds."""
        key = (client, allowance.operation)
        account = self._accounts.get(key)
        if account is None or account.limits is not allowance.limits:
            account = self._open(key, allowance.limits, account)
        else:
            self._accounts.move_to_end(key)
        verdicts, plain = [], allowance.plain
        for limit, cell in account.metered:
            verdict = cell.look(limit, now)
            verdicts.append(verdict)
            if not verdict[1]:
                plain = False
        if not plain:
            return _settled(account.cells, verdicts)
        for cell in account.cells:
            cell.take()
        return Charge(verdicts)

    def _open(self, key: tuple[str, str], limits: tuple[Limit, ...], before: Account | None) -> Account:
        """The account under these limits. What was counted under the same name and in the same way stays counted."""
        known = {} if before is None else {shape(limit): cell for limit, cell in before.metered}
        cells = [self._cell(key[0], limit, known) for limit in limits]
        account = self._accounts[key] = Account(limits, cells)
        self._accounts.move_to_end(key)
        for _ in range(_TRIES):
            if len(self._accounts) <= self._cap:
                break
            oldest, forgotten = self._accounts.popitem(last=False)
            if forgotten.busy:
                self._accounts[oldest] = forgotten
        return account

    def _cell(self, client: str, limit: Limit, known: Mapping[Shape, AnyCell]) -> AnyCell:
        form = shape(limit)
        if limit.per == "operation":
            return known.get(form) or CELLS[limit.kind]()
        cell = self._common.get((client, form))
        if cell is None:
            cell = self._common[client, form] = CELLS[limit.kind]()
        return cell

    def __len__(self) -> int:
        return len(self._accounts)


def shape(limit: Limit) -> Shape:
    """What must be the same for counts to mean the same."""
    return limit.policy, limit.kind, limit.window, limit.per


def _settled(cells: Sequence[AnyCell], verdicts: Sequence[Verdict]) -> Charge:
    """Where a limit refuses, only watches, or counts calls under way."""
    charge = charged(verdicts)
    if charge.refused:
        return charge
    taken = [cell for cell, verdict in zip(cells, verdicts, strict=True) if verdict.admitted]
    for cell in taken:
        cell.take()
    held = [cell for cell in taken if isinstance(cell, Concurrent)]
    charge.release = partial(_release, held) if held else None
    return charge


def _release(held: Sequence[Concurrent]) -> None:
    for cell in held:
        cell.count -= 1
