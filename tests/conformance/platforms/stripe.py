"""Stripe, as the conformance suite connects to it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from contracts.models.catalog import ChargeKind
from contracts.ports.system import Billing
from kernel.secrets import SecretRef
from kernel.settings import Connection
from tests.conformance.platform import BillingFacts, Facts, Platform, Write
from tests.conformance.sandboxed import Sandbox


def settings(sandbox: Sandbox, folder: Path, key: str = "sk_test_sandbox") -> Connection:
    (folder / "secret_key").write_text(key)
    return Connection(
        id="stripe", vendor="stripe", base_url=sandbox.url, credentials={"secret_key": SecretRef(file=folder / "secret_key")}
    )


def refused(sandbox: Sandbox, folder: Path) -> Connection:
    return settings(sandbox, folder, "sk_test_expired")


def facts(sandbox: Sandbox) -> Mapping[type[Any], Facts]:
    prices = {
        ChargeKind.ANNUAL: ("PLAT-ANNUAL/usd", "1200.00"),
        ChargeKind.MONTHLY_USAGE: ("API-USAGE/usd", "0.02"),
        ChargeKind.SERVICE: ("ONBOARD-SVC/usd", "150.00"),
        ChargeKind.GOODS: ("SENSOR-X1/usd", "89.50"),
    }
    return {Billing: BillingFacts(customer_key="ACC-1003", absent="cus_0000000000", currency="USD", prices=prices)}


platform = Platform(
    vendor="stripe",
    ports=(Billing,),
    settings=settings,
    refused=refused,
    facts=facts,
    writes={
        "create_customer": Write("^/v1/customers$", kind="customer"),
        "set_customer_status": Write("^/v1/customers/"),
        "create_subscription": Write("^/v1/subscriptions$", kind="subscription"),
        "cancel_subscription": Write("^/v1/subscriptions/", "DELETE"),
    },
    words_for=frozenset({"locked_record"}),
)
