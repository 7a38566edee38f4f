"""Outbound messages: SOAP notifications of changed records, sent behind the request that changed them.

At least once and in no promised order: an answer other than `<Ack>true</Ack>` is sent once more. A notification carries the
record as it is when it is sent. Salesforce does not sign these messages.
"""

import asyncio
from dataclasses import dataclass, field
from typing import Any
from xml.sax.saxutils import escape

import httpx

from sandbox.faults import Faults
from sandbox.salesforce import ids
from sandbox.salesforce.objects import OBJECTS
from sandbox.salesforce.store import Record, Store

MOST_NOTIFICATIONS = 100
PATIENCE = 10.0  # seconds until an endpoint's silence counts as a refusal
REORDER_WAIT = 0.25  # seconds a lone event waits for a later one to overtake it
ATTEMPTS = 2
ENVELOPE = "http://schemas.xmlsoap.org/soap/envelope/"
OUTBOUND = "http://soap.sforce.com/2005/09/outbound"
ENTERPRISE = "urn:sobject.enterprise.soap.sforce.com"


@dataclass
class Subscription:
    """Where the changes of one object go; `fields` None sends every field that has a value."""

    id: str
    url: str
    object: str
    fields: tuple[str, ...] | None
    base_url: str
    pending: "asyncio.Queue[tuple[str, str]]" = field(default_factory=asyncio.Queue)  # (notification id, record id)
    worker: "asyncio.Task[None] | None" = None

    def shown(self) -> dict[str, Any]:
        return {"id": self.id, "url": self.url, "object": self.object, "fields": self.fields}


class Outbound:
    """The outbound messages configured in one org. `changed` only queues; workers on the running loop deliver."""

    def __init__(self, store: Store, faults: Faults) -> None:
        self.store, self.faults = store, faults
        self.subscriptions: list[Subscription] = []

    def subscribe(self, url: str, sobject: str, fields: tuple[str, ...] | None, base_url: str) -> Subscription:
        made = Subscription(ids.record_id("04k", self.store.next_number("OutboundMessage")), url, sobject, fields, base_url)
        made.worker = asyncio.get_running_loop().create_task(self._deliver(made))
        self.subscriptions.append(made)
        return made

    def changed(self, sobject: str, id_: str) -> None:
        for one in self.subscriptions:
            if one.object == sobject:
                one.pending.put_nowait((ids.record_id("04l", self.store.next_number("Notification")), id_))

    def stop(self) -> None:
        for one in self.subscriptions:
            if one.worker is not None:
                one.worker.cancel()
        self.subscriptions.clear()

    async def _deliver(self, to: Subscription) -> None:
        async with httpx.AsyncClient(timeout=PATIENCE, trust_env=False) as client:
            while True:
                events = await self._next_events(to)
                times = 2 if self.faults.event_fault("duplicate_events") else 1
                if (message := self._message(to, events)) is not None:
                    for _ in range(times):
                        await _send(client, to.url, message)

    async def _next_events(self, to: Subscription) -> list[tuple[str, str]]:
        """What waits, up to a message's worth; newest first under the fault, which a lone event awaits company for."""
        events = [await to.pending.get()]
        while len(events) < MOST_NOTIFICATIONS and not to.pending.empty():
            events.append(to.pending.get_nowait())
        if not self.faults.event_fault("reorder_events"):
            return events
        if len(events) == 1:
            try:
                events.append(await asyncio.wait_for(to.pending.get(), REORDER_WAIT))
            except TimeoutError:
                return events
        return events[::-1]

    def _message(self, to: Subscription, events: list[tuple[str, str]]) -> bytes | None:
        """The envelope for those records that still exist; None when none does."""
        notifications = [
            _notification(to, number, record) for number, id_ in events if (record := self.store.row(to.object, id_)) is not None
        ]
        return _envelope(to, "".join(notifications)).encode() if notifications else None


async def _send(client: httpx.AsyncClient, url: str, message: bytes) -> None:
    headers = {"Content-Type": "text/xml; charset=utf-8", "SOAPAction": '""'}
    for _ in range(ATTEMPTS):
        try:
            answer = await client.post(url, content=message, headers=headers)
        except httpx.HTTPError:
            continue
        if answer.status_code == 200 and "Ack>true</" in answer.text:
            return


def _envelope(to: Subscription, notifications: str) -> str:
    soap = f"{to.base_url}/services/Soap"
    org = ids.ORGANIZATION
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<soapenv:Envelope xmlns:soapenv="{ENVELOPE}" xmlns:xsd="http://www.w3.org/2001/XMLSchema" '
        'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><soapenv:Body>'
        f'<notifications xmlns="{OUTBOUND}"><OrganizationId>{org}</OrganizationId><ActionId>{to.id}</ActionId>'
        '<SessionId xsi:nil="true"/>'
        f"<EnterpriseUrl>{escape(soap)}/c/66.0/{org[:15]}</EnterpriseUrl>"
        f"<PartnerUrl>{escape(soap)}/u/66.0/{org[:15]}</PartnerUrl>"
        f"{notifications}</notifications></soapenv:Body></soapenv:Envelope>"
    )


def _notification(to: Subscription, number: str, record: Record) -> str:
    kinds = OBJECTS[to.object].fields
    names = to.fields if to.fields is not None else tuple(kinds)
    values = ((name, record[name]) for name in ("Id", *(n for n in names if n != "Id")) if kinds[name].type != "address")
    fields = "".join(f"<sf:{name}>{escape(_text(value))}</sf:{name}>" for name, value in values if value is not None)
    opening = f'<sObject xsi:type="sf:{to.object}" xmlns:sf="{ENTERPRISE}">'
    return f"<Notification><Id>{number}</Id>{opening}{fields}</sObject></Notification>"


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    text = str(value)
    return text.replace("+0000", "Z") if text.endswith(".000+0000") else text
