"""Where the selling company collects tax: the domestic jurisdiction of each legal entity, at its rate."""

from dataclasses import dataclass
from decimal import Decimal

from sandbox.stripe.wire import Wire
from sandbox.world import ENTITIES


@dataclass(frozen=True)
class Jurisdiction:
    """A place with a rate. `state` None: the whole country."""

    country: str
    state: str | None
    percentage: Decimal
    tax_type: str
    display_name: str
    entity: str

    @property
    def level(self) -> str:
        return "state" if self.state else "country"


def _state(tax_code: str) -> str | None:
    """The state in a tax code such as US-CA; a code such as DE-19 has none."""
    suffix = tax_code.partition("-")[2]
    return suffix if suffix.isalpha() else None


JURISDICTIONS = tuple(
    Jurisdiction(
        entity.country,
        _state(entity.tax_code),
        Decimal(entity.tax_percent),
        "sales_tax" if entity.country == "US" else "vat",
        "Sales Tax" if entity.country == "US" else "VAT",
        entity.key,
    )
    for entity in ENTITIES
)


def jurisdiction(address: Wire) -> Jurisdiction | None:
    """Where a delivery to this address is taxed; None where the company collects nothing."""
    for one in JURISDICTIONS:
        if one.country == address.get("country") and one.state in (None, address.get("state")):
            return one
    return None


def locatable(address: Wire | None) -> bool:
    """Whether an address says enough to find its jurisdiction: a country, in the US a state as well."""
    if not address or not address.get("country"):
        return False
    return address["country"] != "US" or bool(address.get("state"))
