"""Parameters in the bracketed form Stripe reads: `items[0][price]=price_1&metadata[sku]=X`."""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import TypeAlias
from urllib.parse import urlencode

FormValue: TypeAlias = "str | int | bool | Decimal | Sequence[FormValue] | Mapping[str, FormValue] | None"
Form: TypeAlias = Mapping[str, FormValue]


def encoded(form: Form) -> str:
    """A query string or form body. None is left out; an empty text unsets the field at Stripe."""
    return urlencode(list(_pairs("", form)))


def _pairs(name: str, value: FormValue) -> Iterator[tuple[str, str]]:
    match value:
        case None:
            return
        case bool():
            yield name, "true" if value else "false"
        case str() | int():
            yield name, str(value)
        case Decimal():
            yield name, format(value, "f")
        case Mapping():
            for key, one in value.items():
                yield from _pairs(f"{name}[{key}]" if name else key, one)
        case _:
            for place, one in enumerate(value):
                yield from _pairs(f"{name}[{place}]", one)
