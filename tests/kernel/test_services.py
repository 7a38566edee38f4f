"""The settings of foreign services: every key is explained by the example, and what cannot be meant is refused in words."""

import tomllib
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from kernel.sections.base import Section
from kernel.sections.services import Canary, Mirror, Service

EXAMPLE = Path(__file__).parents[2] / "trivium.example.toml"
MADE = {"services": Service, "canaries": Canary, "mirrors": Mirror}
SERVICE = {"name": "catalog", "contract": "c.yaml", "prefix": "/catalog/v1", "upstreams": ["http://catalog.internal"]}


def example() -> dict[str, Any]:
    """What the example says in comments."""
    _, _, rest = EXAMPLE.read_text().partition("# [[services]]\n")
    lines = ("# [[services]]\n" + rest.partition("\n[")[0]).splitlines()
    said = [line.removeprefix("# ") for line in lines if line.startswith("# ") and ("=" in line or "[" in line[:4])]
    return tomllib.loads("\n".join(said))


@pytest.mark.parametrize("name", MADE)
def test_the_example_explains_every_key_and_can_be_used(name: str) -> None:
    (said,) = example()[name]
    if name == "canaries":
        said = {key: value for key, value in said.items() if value != ""}
    kind: type[Section] = MADE[name]

    assert kind.model_validate(said)
    assert set(example()[name][0]) == set(kind.model_fields)


@pytest.mark.parametrize("part", ["retries", "health", "ejection", "connections", "websocket"])
def test_so_it_does_for_each_part_of_a_service(part: str) -> None:
    (said,) = example()["services"]
    kind = type(getattr(Service.model_validate(SERVICE), part))

    assert set(said[part]) == set(kind.model_fields)


@pytest.mark.parametrize(
    "said",
    [
        {"upstreams": []}, {"upstreams": ["ftp://x"]}, {"upstreams": ["http://user:pass@x"]}, {"upstreams": ["http://x?a=b"]},
        {"upstreams": ["x"]}, {"prefix": "catalog/v1"}, {"prefix": "/catalog"}, {"prefix": "/catalog/v1/"}, {"name": "A b"},
        {"extensions": {"timeout": 3}}, {"token": "secret"}, {"token": {"secret": "plain"}}, {"retries": {"statuses": [404]}},
        {"timeout": 0}, {"unknown": 1},
    ],
)  # fmt: skip
def test_what_cannot_be_meant_is_refused(said: Any) -> None:
    with pytest.raises(ValidationError):
        Service.model_validate({**SERVICE, **said})


@pytest.mark.parametrize("said", [{}, {"upstreams": ["http://x"], "version": "v2"}, {"version": "2"}])
def test_a_canary_leads_to_one_place(said: Any) -> None:
    with pytest.raises(ValidationError):
        Canary.model_validate({"name": "next", "api": "services/catalog", **said})
