"""What a client calls each API, by name and major (with the layer where two would be called the same), and what it is of."""

from collections import Counter
from collections.abc import Mapping, Sequence

from governance.clients.endpoints import Surface
from governance.clients.failure import NoClient


def titles(surfaces: Sequence[Surface]) -> dict[str, Surface]:
    """orders_v1, or process_orders_v1 beside system_orders_v1; in the order of their names. Raises NoClient."""
    counted = Counter(one.name for one in surfaces)
    named = [(one.name if counted[one.name] == 1 else one.long_name, one) for one in surfaces]
    if len({name for name, _ in named}) != len(named) or not named:
        raise NoClient("a client holds every API and major version once" if named else "there is no contract to make it of")
    return dict(sorted(named, key=lambda pair: pair[0]))


def newest(surfaces: Mapping[str, Surface]) -> str:
    """The version of the newest contract within: a package is released when one of them is."""
    numbers = [one.contract.version for one in surfaces.values()]
    plain = [number for number in numbers if all(part.isascii() and part.isdigit() for part in number.split("."))]
    return max(plain, key=lambda number: [int(part) for part in number.split(".")], default="0.0.0")
