"""Routing: the first route that names the country decides the legal entity."""

import pytest

from kernel.problem import Unmapped
from kernel.settings import Route
from master_data.routing import Routing


def route(entity, *countries):
    return Route(
        countries=list(countries), legal_entity=entity, erp="netsuite", erp_entity_id="1", billing="stripe", currency="EUR"
    )


def test_the_first_route_that_matches_wins():
    routing = Routing([route("US01", "US", "CA"), route("DE01", "DE", "CA"), route("ROW", "*"), route("FR01", "FR")])

    assert {country: routing.of(country).legal_entity for country in ("US", "CA", "DE", "FR", "JP")} == {
        "US": "US01", "CA": "US01", "DE": "DE01", "FR": "ROW", "JP": "ROW",
    }  # fmt: skip


@pytest.mark.parametrize("routes", [[], [route("US01", "US")]])
def test_a_country_nobody_sells_to_is_named_with_what_to_add(routes):
    with pytest.raises(Unmapped, match="no legal entity sells to JP") as refused:
        Routing(routes).of("JP")

    assert refused.value.field == "address.country"
    assert refused.value.fix == 'add a [[routes]] entry with countries = ["JP"] to trivium.toml'
