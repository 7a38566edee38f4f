"""A Salesforce imitation served over real HTTP on a port of its own, with a clock that the test owns."""

import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
import requests
import uvicorn
from requests.adapters import HTTPAdapter
from simple_salesforce import Salesforce

from sandbox.control import platform
from sandbox.salesforce.app import SalesforceImitation
from sandbox.server import Server

V = "/services/data/v66.0"
CREDENTIALS = {"client_id": "sandbox-salesforce", "client_secret": "sandbox-secret"}


class Clock:
    """The wall clock, moved forward by the test."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead

    def advance(self, **by: float) -> None:
        self.ahead += timedelta(**by)


class OnLoopback(HTTPAdapter):
    """Sends what is meant for any Salesforce host to the imitation: the client insists on https and salesforce.com."""

    def __init__(self, base_url: str) -> None:
        super().__init__()
        self.base_url = base_url

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        request.url = self.base_url + request.path_url
        return super().send(request, *args, **kwargs)


@dataclass
class Sandbox:
    base_url: str
    clock: Clock
    http: httpx.Client  # without a token
    api: httpx.Client = field(init=False)  # with one

    def token(self) -> str:
        answer = self.http.post("/services/oauth2/token", data={"grant_type": "client_credentials", **CREDENTIALS})
        return str(answer.json()["access_token"])

    def fault(self, kind: str, **more: Any) -> None:
        self.http.post("/__sandbox__/faults", json={"kind": kind, **more}).raise_for_status()

    def records(self, kind: str) -> list[dict[str, Any]]:
        return list(self.http.get(f"/__sandbox__/records/{kind}").json())

    def query(self, soql: str, **headers: str) -> dict[str, Any]:
        answer = self.api.get(f"{V}/query", params={"q": soql}, headers=headers)
        answer.raise_for_status()
        return dict(answer.json())

    def one(self, soql: str) -> dict[str, Any]:
        (record,) = self.query(soql)["records"]
        return dict(record)

    def create(self, sobject: str, **body: Any) -> str:
        answer = self.api.post(f"{V}/sobjects/{sobject}", json=body)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    def session(self) -> requests.Session:
        session = requests.Session()
        session.trust_env = False
        session.mount("https://", OnLoopback(self.base_url))
        return session

    def simple_salesforce(self, **how: Any) -> Salesforce:
        login = how or {
            "domain": "lumenworks.my",
            "consumer_key": CREDENTIALS["client_id"],
            "consumer_secret": CREDENTIALS["client_secret"],
        }
        return Salesforce(session=self.session(), version="66.0", **login)


@pytest.fixture(scope="session")
def served() -> Iterator[tuple[str, Clock]]:
    clock = Clock()
    listening = socket.create_server(("127.0.0.1", 0))  # connections wait in its queue until the server is up
    config = uvicorn.Config(platform(SalesforceImitation(clock)), log_level="warning", access_log=False, ws="none")
    server = Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    yield f"http://127.0.0.1:{listening.getsockname()[1]}", clock
    server.should_exit = True
    thread.join()
    listening.close()


@pytest.fixture
def sandbox(served: tuple[str, Clock]) -> Iterator[Sandbox]:
    base_url, clock = served
    clock.ahead = timedelta()
    with httpx.Client(base_url=base_url, trust_env=False) as http, httpx.Client(base_url=base_url, trust_env=False) as api:
        http.post("/__sandbox__/reset").raise_for_status()
        running = Sandbox(base_url, clock, http)
        api.headers["Authorization"] = f"Bearer {running.token()}"
        running.api = api
        yield running
        http.post("/__sandbox__/reset").raise_for_status()
