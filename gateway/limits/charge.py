"""A charge: what became of one call, in one answer, so that what is told and what is decided cannot differ."""

from collections.abc import Callable, Sequence

from gateway.limits.counting import Verdict
from gateway.pipeline import Limit


class Charge:
    """What each enforced limit says, whether any refused the call, and which limits in the shadow would have.

    `release` is to be called once the call has ended, however it ended; None if no limit counts calls under way.
    `uncounted`: the shared store was away, and this is what limits of this process said, if any.
    """

    __slots__ = ("refused", "release", "shadows", "uncounted", "verdicts")

    def __init__(
        self,
        verdicts: Sequence[Verdict],
        refused: bool = False,
        shadows: tuple[Limit, ...] = (),
        release: Callable[[], None] | None = None,
    ) -> None:
        self.verdicts, self.refused, self.shadows, self.release = verdicts, refused, shadows, release
        self.uncounted = False


def charged(verdicts: Sequence[Verdict]) -> Charge:
    """The charge these verdicts make. Limits in the shadow neither refuse nor show; a refused call takes nothing from any."""
    enforced = [verdict for verdict in verdicts if not verdict.limit.shadow]
    shadows = tuple(verdict.limit for verdict in verdicts if verdict.limit.shadow and not verdict.admitted)
    if all(verdict.admitted for verdict in enforced):
        return Charge(enforced, False, shadows)
    left = [verdict._replace(remaining=verdict.remaining + 1) if verdict.admitted else verdict for verdict in enforced]
    return Charge(left, True, shadows)
