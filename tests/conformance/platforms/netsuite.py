"""NetSuite, as the conformance suite connects to it."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from joserfc.jwk import ECKey

from contracts.ports.system import Erp
from kernel.secrets import SecretRef
from kernel.settings import Connection
from sandbox import world
from sandbox.netsuite.account import CLIENT_ID
from tests.conformance.platform import ErpFacts, Facts, Platform, Write
from tests.conformance.sandboxed import Sandbox

KEY, STRANGER = ECKey.generate_key("P-256"), ECKey.generate_key("P-256")
KID = "conformance"


def settings(sandbox: Sandbox, folder: Path, key: ECKey = KEY) -> Connection:
    """NetSuite trusts KEY, whatever key the connection then signs with."""
    sandbox.trust(KID, KEY.as_pem(private=False).decode(), CLIENT_ID)
    (folder / "private_key").write_bytes(key.as_pem(private=True))
    credentials = {"client_id": CLIENT_ID, "certificate_id": KID, "private_key": SecretRef(file=folder / "private_key")}
    return Connection(id="netsuite", vendor="netsuite", base_url=sandbox.url, credentials=credentials)


def refused(sandbox: Sandbox, folder: Path) -> Connection:
    return settings(sandbox, folder, STRANGER)


def facts(sandbox: Sandbox) -> Mapping[type[Any], Facts]:
    today = datetime.now(UTC).date()
    closed = max(period.start for period in world.periods(today) if period.closed)
    return {
        Erp: ErpFacts(
            customer_key="ACC-1003",
            absent="999999999",
            currency="USD",
            legal_entity="1",
            item="PLATFORM-ANNUAL",
            stocked=("SENSOR-X1", 500),
            tax_code="US-CA",
            open_day=today,
            closed_day=closed,
        )
    }


platform = Platform(
    vendor="netsuite",
    ports=(Erp,),
    settings=settings,
    refused=refused,
    facts=facts,
    writes={
        "create_customer": Write("/record/v1/customer/eid:", "PUT", kind="customer"),
        "set_customer_status": Write("/record/v1/customer/", "PATCH"),
        "set_credit_terms": Write("/record/v1/customer/", "PATCH"),
        "create_sales_order": Write("/record/v1/salesOrder/eid:", "PUT", kind="salesOrder"),
        "cancel_sales_order": Write("/record/v1/salesOrder/", "PATCH"),
    },
    words_for=frozenset({"locked_record", "closed_period"}),
    token_path="/auth/oauth2/v1/token$",
)
