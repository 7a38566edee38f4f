"""Salesforce, as the conformance suite connects to it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from contracts.ports.system import Crm
from kernel.secrets import SecretRef
from kernel.settings import Connection
from sandbox.salesforce.ids import record_id
from tests.conformance.platform import CrmFacts, Facts, Platform, Write
from tests.conformance.sandboxed import Sandbox


def settings(sandbox: Sandbox, folder: Path, secret: str = "sandbox-secret") -> Connection:
    (folder / "client_secret").write_text(secret)
    credentials = {"client_id": "sandbox-salesforce", "client_secret": SecretRef(file=folder / "client_secret")}
    return Connection(id="salesforce", vendor="salesforce", base_url=sandbox.url, credentials=credentials)


def refused(sandbox: Sandbox, folder: Path) -> Connection:
    return settings(sandbox, folder, "not-the-client-secret")


def facts(sandbox: Sandbox) -> Mapping[type[Any], Facts]:
    account = next(one for one in sandbox.records("Account") if one["AccountNumber"] == "ACC-1001")
    quote = next(one for one in sandbox.records("Quote") if one["QuoteNumber"] == "Q-1001")
    return {
        Crm: CrmFacts(
            account=account["Id"],
            account_number="ACC-1001",
            quote=quote["Id"],
            quote_number="Q-1001",
            absent=record_id("001", 900_000),
        )
    }


platform = Platform(
    vendor="salesforce",
    ports=(Crm,),
    settings=settings,
    refused=refused,
    facts=facts,
    writes={"write_account_references": Write("/sobjects/Account/", "PATCH"), "write_quote_references": Write("/composite$")},
    words_for=frozenset({"locked_record"}),
    token_path="^/services/oauth2/token$",
)
