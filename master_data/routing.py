"""Routing: a customer's country decides the legal entity, and with it whose books and which billing account."""

from collections.abc import Sequence

from kernel.problem import Unmapped
from kernel.settings import Route


class Routing:
    """The routes of this deployment, first match wins; a second ERP is one more route."""

    def __init__(self, routes: Sequence[Route]) -> None:
        self._routes = tuple(routes)

    def of(self, country: str) -> Route:
        for route in self._routes:
            if country in route.countries or "*" in route.countries:
                return route
        raise Unmapped(
            f"no legal entity sells to {country}", field="address.country", system="trivium",
            fix=f'add a [[routes]] entry with countries = ["{country}"] to trivium.toml',
        )  # fmt: skip
