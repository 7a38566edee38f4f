"""What the suite must know of a vendor: how to connect to its sandbox, and a few facts of the seeded world in its words."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from contracts.models.catalog import ChargeKind
from kernel.settings import Connection
from tests.conformance.sandboxed import Sandbox


@dataclass(frozen=True)
class CrmFacts:
    """An account with a quote and an opportunity, by their ids in the CRM; `absent` is a well-formed id of nothing."""

    account: str
    account_number: str
    quote: str
    quote_number: str
    absent: str


@dataclass(frozen=True)
class BillingFacts:
    """`customer_key`: a customer that is there; `prices`: price keys by charge kind, with their unit prices in `currency`."""

    customer_key: str
    absent: str
    currency: str
    prices: Mapping[ChargeKind, tuple[str, str]]
    legal_entity: str = "US01"


@dataclass(frozen=True)
class ErpFacts:
    """`legal_entity` is the ERP's id of the entity whose currency is `currency`; `stocked` an item code and what is in stock."""

    customer_key: str
    absent: str
    currency: str
    legal_entity: str
    item: str
    stocked: tuple[str, int]
    tax_code: str
    open_day: date
    closed_day: date


Facts = CrmFacts | BillingFacts | ErpFacts


@dataclass(frozen=True)
class Write:
    """The request with which a method writes, as faults name it: method and a pattern of the path.

    `kind`: the sandbox's name of the records that a create makes.
    """

    path: str
    method: str = "POST"
    kind: str = ""


@dataclass(frozen=True)
class Platform:
    """One vendor under test.

    `settings` gives a connection to the sandbox: it registers there what the vendor must know (keys), and writes each secret
    into a file of its own in the given folder. `refused` gives one whose credentials the vendor does not accept.
    `facts` answers for each port. `writes` names every `sets` and `creates` method of the ports.
    `words_for`: the faults that the vendor has its own refusal for, of "locked_record" and "closed_period".
    `token_path`: pattern of the path where tokens are fetched; None where the credential itself is sent.
    """

    vendor: str
    ports: tuple[type[Any], ...]
    settings: Callable[[Sandbox, Path], Connection]
    refused: Callable[[Sandbox, Path], Connection]
    facts: Callable[[Sandbox], Mapping[type[Any], Facts]]
    writes: Mapping[str, Write]
    words_for: frozenset[str] = field(default_factory=frozenset)
    token_path: str | None = None
