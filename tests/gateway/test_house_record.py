"""A whole process: who changed something, and who was not believed, is in the audit log when it has ended."""

import asyncio
import base64
import json
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from starlette.types import ASGIApp

from gateway.audit.anchors import AnchorFile
from gateway.audit.entry import told
from gateway.audit.opening import audit_key
from gateway.audit.store import AuditStore
from gateway.audit.verification import verify
from gateway.compose import Part, application
from gateway.opening import open_house
from kernel.db import Database
from kernel.settings import Settings
from tests.gateway.conftest import Answer, ask

FORM = {"content-type": "application/x-www-form-urlencoded"}


async def _token(door: ASGIApp, client: str, secret: str) -> Answer:
    basic = base64.b64encode(f"{client}:{secret}".encode()).decode()
    body = urlencode({"grant_type": "client_credentials"}).encode()
    return await ask(door, "POST", "/oauth/token", {**FORM, "authorization": f"Basic {basic}"}, [body])


async def _recorded(settings: Settings) -> tuple[list[dict[str, Any]], list[Any]]:
    database = Database(settings.database)
    try:
        store, key = AuditStore(database), audit_key(settings.data, settings.audit)
        places, _ = AnchorFile(settings.data, key).read()
        verdict = await verify(store, key, places)
        entries = [told(link.text) for chain in await store.chains() async for link in store.links(chain)]
        return [entry for entry in entries if entry["kind"] == "call"], verdict.breaks
    finally:
        await database.close()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings.model_construct(data=tmp_path)


async def test_a_process_that_ends_in_order_has_recorded_everything(settings: Settings) -> None:
    mapping = {"kind": "item", "connection": "netsuite", "source": "SKU", "target": "1", "valid_from": "2026-01-01"}
    async with application(settings, Part.ALL) as door:
        async with open_house(settings, "test") as house:
            made = await house.oauth.clients.add("ops", ["master-data:write", "gateway:read"])
        token = (await _token(door, made.client_id, made.secret)).json()["access_token"]
        refused = await _token(door, made.client_id, "wrong")
        headers = {"authorization": f"Bearer {token}", "content-type": "application/json", "idempotency-key": "mapping-0001"}
        added = await ask(door, "POST", "/ops/master-data/v1/mappings", headers, [json.dumps(mapping).encode()])
        await ask(door, "GET", "/ops/gateway/v1/audit")
        async with asyncio.timeout(10):
            shown: list[Any] = []
            while len(shown) < 4:  # they are there within a moment
                page = await ask(door, "GET", "/ops/gateway/v1/audit?limit=10", headers)
                shown = [entry for entry in page.json()["items"] if entry["kind"] == "call"]
                await asyncio.sleep(0.02)
    entries, breaks = await _recorded(settings)

    assert (refused.status, added.status, breaks) == (401, 201, [])
    assert [(entry["operation"], entry["status"]) for entry in entries] == [
        ("oauth/token", 200), ("oauth/token", 401), ("ops.master_data.v1.add_mapping", 201),
        ("ops.gateway.v1.list_audit_entries", 401),
    ]  # fmt: skip
    assert entries[0]["claimed"] == entries[1]["claimed"] == entries[2]["client"] == made.client_id
    assert made.secret not in json.dumps(entries)
    assert token not in json.dumps(entries)
    assert {entry["request_id"] for entry in shown} == {entry["request_id"] for entry in entries}
