"""Webhook deliveries: signed, in background tasks, retried a few times; duplicated or reordered when a fault says so."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

import httpx

from sandbox.faults import Faults
from sandbox.stripe.account import Account
from sandbox.stripe.signature import stripe_signature
from sandbox.stripe.wire import Wire, encode

RETRY_AFTER = (0.2, 1.0, 3.0)  # seconds; the vendor's sandbox tries three times in a few hours
GATHERED_SECONDS = 0.05  # how long a delivery waits for others that are to arrive before it
TIMEOUT = 10.0


class Deliveries:
    """Takes events as they happen and sends each to every endpoint that wants it, at least once."""

    def __init__(self, account: Account, faults: Faults, retry_after: Sequence[float] = RETRY_AFTER) -> None:
        self.account, self.faults, self.retry_after = account, faults, tuple(retry_after)
        self.waiting: list[tuple[Wire, Wire]] = []
        self.tasks: set[asyncio.Task[None]] = set()
        self.posting: asyncio.Task[None] | None = None
        self.client: httpx.AsyncClient | None = None
        account.on_event = self.take

    def take(self, event: Wire) -> None:
        """Queues an event for the endpoints that listen to its type."""
        endpoints = [e for e in self.account.table("webhook_endpoint").rows.values() if _wants(e, event["type"])]
        event["pending_webhooks"] = len(endpoints)
        self.waiting += [(endpoint, event) for endpoint in endpoints]
        if self.waiting and (self.posting is None or self.posting.done()):
            self.posting = self._start(self._post_all)

    def clear(self) -> None:
        """Forgets what was not delivered yet."""
        self.waiting.clear()
        for task in self.tasks:
            task.cancel()

    async def stop(self) -> None:
        self.clear()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        if self.client is not None:
            await self.client.aclose()
            self.client = None

    def _start(self, work: Callable[[], Coroutine[Any, Any, None]]) -> "asyncio.Task[None]":
        task = asyncio.get_running_loop().create_task(work())
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)
        return task

    async def _post_all(self) -> None:
        while self.waiting:
            if self.faults.event_fault("reorder_events"):
                await asyncio.sleep(GATHERED_SECONDS)
                self.waiting.reverse()
            batch, self.waiting = self.waiting, []
            queues: dict[str, list[tuple[Wire, Wire]]] = {}
            for endpoint, event in batch:
                times = 2 if self.faults.event_fault("duplicate_events") else 1
                queues.setdefault(endpoint["id"], []).extend([(endpoint, event)] * times)
            await asyncio.gather(*(self._post_in_order(queue) for queue in queues.values()))

    async def _post_in_order(self, queue: list[tuple[Wire, Wire]]) -> None:
        for endpoint, event in queue:
            await self._post_or_retry(endpoint, event)

    async def _post_or_retry(self, endpoint: Wire, event: Wire) -> None:
        if await self._post(endpoint, event):
            event["pending_webhooks"] = max(0, event["pending_webhooks"] - 1)
            return

        async def again() -> None:
            for pause in self.retry_after:
                await asyncio.sleep(pause)
                if await self._post(endpoint, event):
                    event["pending_webhooks"] = max(0, event["pending_webhooks"] - 1)
                    return

        self._start(again)

    async def _post(self, endpoint: Wire, event: Wire) -> bool:
        """One attempt. Success is 2xx; a redirect is a failure. True also when the endpoint is gone by now."""
        secret = self.account.secrets.get(endpoint["id"])
        if secret is None:
            return True
        self.client = self.client or httpx.AsyncClient(trust_env=False, timeout=TIMEOUT, follow_redirects=False)
        body = encode(event)
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "Stripe-Signature": stripe_signature(body, secret, self.account.now()),
            "User-Agent": "Stripe/1.0 (+https://stripe.com/docs/webhooks)",
        }
        try:
            return (await self.client.post(endpoint["url"], content=body, headers=headers)).is_success
        except httpx.HTTPError:
            return False


def _wants(endpoint: Wire, type: str) -> bool:
    return endpoint["status"] == "enabled" and ("*" in endpoint["enabled_events"] or type in endpoint["enabled_events"])
