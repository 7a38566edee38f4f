"""A process that is asked for more than it can do refuses early what matters least, and answers what it takes in time.

Two things are watched. How long what arrives stands in the queue of the event loop, which is how long its turns are: when two of
a few turns take longer than the target, the queue does not drain, while one slow step is none. And how many calls are under way,
which is what grows when something behind us is slow. The delay is measured by a probe that runs all the time, never by calls.
The share that is refused grows quickly while the queue stands and shrinks slowly when it drains; it is taken from the least
important calls first, by what arrived of each kind in the interval before.
"""

import asyncio
import random
from collections import Counter
from collections.abc import Iterable
from enum import IntEnum
from time import monotonic

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from kernel.problem import Shedding
from kernel.sections.shedding import Shedding as Settings

PROBES = 8  # within an interval
TURNS = 6  # of the event loop, one after the other: what one reads from sockets is worked on in the next
CUT, GROWTH, STEP, LARGEST_SHARE = 0.5, 1.1, 0.01, 0.98  # of what is admitted: quickly less, slowly more, never nothing
ROOM = {0: 0.7, 1: 0.9, 2: 1.0, 3: 1.25}  # of the calls under way, by importance: so much is left to what matters more


class Importance(IntEnum):
    """What goes first, and what last. Health pages are not even asked."""

    SHEDDABLE = 0
    NORMAL = 1
    CRITICAL = 2
    ESSENTIAL = 3  # tokens and operations: without them nobody gets out of an overload


class Load:
    """How busy this process is, and what it takes on."""

    def __init__(self, settings: Settings) -> None:
        self._target = settings.target
        self._rooms = [max(1, int(settings.in_flight * ROOM[kind])) for kind in Importance]
        self.in_flight, self.share, self.delay = 0, 0.0, 0.0  # the delay of the last interval, in seconds
        self.shed: Counter[tuple[str, str]] = Counter()  # by importance and reason
        self._shares = [0.0] * len(Importance)  # to be refused of each kind
        self._arrived = [0] * len(Importance)

    def admit(self, importance: Importance) -> None:
        """Raises Shedding. Whoever was admitted calls `leave` in the end."""
        self._arrived[importance] += 1
        if self.in_flight >= self._rooms[importance]:
            raise self._refusal(importance, "in_flight")
        self._weigh(importance)
        self.in_flight += 1

    def lower(self, importance: Importance, least: Importance) -> None:
        """A call that was admitted turns out to matter less. Raises Shedding."""
        self._arrived[importance] -= 1
        self._arrived[least] += 1
        if self.in_flight > self._rooms[least]:
            raise self._refusal(least, "in_flight")
        self._weigh(least)

    def leave(self) -> None:
        self.in_flight -= 1

    def observe(self, delay: float) -> None:
        """The delay of an interval that is over, in seconds."""
        self.delay = delay
        admitted = 1 - self.share
        if delay > self._target:
            admitted *= max(self._target / delay, CUT)
        else:
            admitted = admitted * GROWTH + STEP
        self.share = min(max(1 - admitted, 0.0), LARGEST_SHARE)
        self._spread()

    def _spread(self) -> None:
        """The share of all that arrived, taken from the least important first; what is essential is never among it."""
        rest = self.share * sum(self._arrived)
        for importance in (Importance.SHEDDABLE, Importance.NORMAL, Importance.CRITICAL):
            room = LARGEST_SHARE * self._arrived[importance]
            if rest < room:
                self._shares[importance], rest = rest / self._arrived[importance], 0.0
            else:  # all of them but a few, by which it is seen whether it has got better
                self._shares[importance], rest = LARGEST_SHARE * (rest > 0), rest - room
        self._arrived = [0] * len(Importance)

    def _weigh(self, importance: Importance) -> None:
        share = self._shares[importance]
        if share and random.random() < share:
            raise self._refusal(importance, "delay")

    def _refusal(self, importance: Importance, reason: str) -> Shedding:
        self.shed[importance.name.lower(), reason] += 1
        # Spread out, or all who were refused together come back together.
        return Shedding("this process has more to do than it can; nothing was done", retry_after=random.randint(1, 5))


class Probe:
    """Measures a few turns of the event loop, eight times an interval, and how late it was with the first of them.

    Of these the second longest is what counts. It counts at once when it is above the target: when every turn is long there is
    no time to wait for many.
    """

    def __init__(self, load: Load, settings: Settings) -> None:
        self._load, self._target, self._interval = load, settings.target, settings.interval
        self._pause = settings.interval / PROBES
        self._handle: asyncio.Handle | None = None
        self._begun = self._last = 0.0
        self._longest = self._second = 0.0

    def start(self) -> None:
        """On the running loop."""
        self._loop = asyncio.get_running_loop()
        self._begin(monotonic())
        self._arm()

    def stop(self) -> None:
        if self._handle is not None:
            self._handle.cancel()

    def _begin(self, now: float) -> None:
        self._begun, self._longest, self._second = now, 0.0, 0.0

    def _arm(self) -> None:
        # At odds with whatever rhythm the work has: a probe that always came right after it would see nothing of it.
        pause = self._pause * random.uniform(0.5, 1.5)
        self._handle = self._loop.call_later(pause, self._enter, monotonic() + pause)

    def _enter(self, due: float) -> None:
        self._last = due
        self._turn(TURNS)

    def _turn(self, left: int) -> None:
        now = monotonic()  # the loop's own time stands still within a turn
        turn, self._last = now - self._last, now
        if turn > self._longest:
            self._longest, self._second = turn, self._longest
        elif turn > self._second:
            self._second = turn
        if self._second > self._target or (not left and now - self._begun >= self._interval):
            self._load.observe(self._second)
            self._begin(now)
        if left:
            self._handle = self._loop.call_soon(self._turn, left - 1)
        else:
            self._arm()


class LoadMetrics(Collector):
    """`trivium_shed_total`, `trivium_calls_in_flight`, `trivium_queue_delay_seconds`, `trivium_shed_share`."""

    def __init__(self, registry: CollectorRegistry, load: Load) -> None:
        self._load = load
        registry.register(self)

    def collect(self) -> Iterable[Metric]:
        load = self._load
        shed = CounterMetricFamily("trivium_shed", "Calls refused for want of capacity.", labels=("importance", "reason"))
        for labels, count in sorted(load.shed.copy().items()):
            shed.add_metric(labels, count)
        yield shed
        yield GaugeMetricFamily("trivium_calls_in_flight", "Calls under way.", load.in_flight)
        yield GaugeMetricFamily("trivium_queue_delay_seconds", "How long what arrived of late stood in the queue.", load.delay)
        yield GaugeMetricFamily("trivium_shed_share", "The share of calls that is being refused.", load.share)

    def describe(self) -> Iterable[Metric]:
        return ()  # or registering would collect
