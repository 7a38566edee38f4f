"""A vendor's imitation, served for real on a free loopback port from a thread, steered through its control endpoint."""

import asyncio
import socket
import threading
from typing import Any

import httpx

from sandbox.server import server


class Sandbox:
    """One running imitation. `url` is its base URL; it serves from the moment it is made until `stop`."""

    def __init__(self, vendor: str) -> None:
        # Listening before the server runs: who connects early waits in the backlog, and nobody has to poll.
        # The protocol is named because asyncio sends without delay (TCP_NODELAY) only on sockets that name it.
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        self._socket.bind(("127.0.0.1", 0))
        self._socket.listen(256)
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self._server = server(vendor, 0)
        self._thread = threading.Thread(target=self._serve, name=f"sandbox {vendor}", daemon=True)
        self._thread.start()
        self._control = httpx.Client(base_url=f"{self.url}/__sandbox__", timeout=30, trust_env=False)

    def _serve(self) -> None:
        asyncio.run(self._server.serve(sockets=[self._socket]))

    def stop(self) -> None:
        self._control.close()
        self._server.should_exit = True
        self._thread.join(timeout=30)

    def reset(self) -> None:
        """Back to the seeded world, no faults, no tokens, nothing asked yet."""
        self._control.post("/reset").raise_for_status()

    def fault(self, kind: str, **how: Any) -> None:
        self._control.post("/faults", json={"kind": kind, **how}).raise_for_status()

    def faults(self) -> list[dict[str, Any]]:
        return self._json("/faults")

    def trust(self, kid: str, public_key: str, client_id: str) -> None:
        body = {"kid": kid, "public_key": public_key, "client_id": client_id}
        self._control.post("/certificates", json=body).raise_for_status()

    def requests(self) -> list[dict[str, Any]]:
        """What was asked since the reset, oldest first: method, path, query, headers, status."""
        return self._json("/requests")

    def records(self, kind: str) -> list[dict[str, Any]]:
        return self._json(f"/records/{kind}")

    def _json(self, path: str) -> list[dict[str, Any]]:
        answer = self._control.get(path)
        answer.raise_for_status()
        found: list[dict[str, Any]] = answer.json()
        return found
