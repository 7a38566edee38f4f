"""One NetSuite imitation on a loopback port for this folder, reset before every test."""

import socket
import threading
from collections.abc import Iterator
from datetime import date, timedelta

import httpx
import pytest
import uvicorn
from joserfc.jwk import ECKey

from sandbox import world
from sandbox.control import platform
from sandbox.netsuite import imitation
from tests.sandbox.netsuite.driving import KID, NO_TLS, Account, Client, Clock


@pytest.fixture(scope="session")
def running() -> Iterator[Account]:
    clock = Clock()
    netsuite = imitation(clock)
    listening = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(platform(netsuite), log_level="warning", access_log=False, timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    http = httpx.Client(verify=NO_TLS)
    account = Account(f"http://127.0.0.1:{listening.getsockname()[1]}", netsuite, clock, ECKey.generate_key("P-256"), http)
    account.trust(KID, account.key)
    yield account
    http.close()
    server.should_exit = True
    thread.join()
    listening.close()


@pytest.fixture
def account(running: Account) -> Account:
    running.clock.ahead = timedelta()
    assert running.http.post(f"{running.url}/__sandbox__/reset").status_code == 204
    return running


@pytest.fixture
def client(account: Account) -> Iterator[Client]:
    token = account.grant(account.assertion()).json()["access_token"]
    headers = {"Authorization": f"Bearer {token}", "X-NetSuite-PropertyNameValidation": "Error"}
    with Client(verify=NO_TLS, base_url=f"{account.root}/record/v1/", headers=headers) as made:
        yield made


@pytest.fixture
def harbor(client: Client) -> str:
    """The internal id of a US customer in good standing, who owes 1200.00."""
    return str(client.read("customer/eid:ACC-1003")["id"])


@pytest.fixture
def rheinblick(client: Client) -> str:
    """The internal id of a customer of the German subsidiary."""
    return str(client.read("customer/eid:ACC-1007")["id"])


@pytest.fixture
def today(account: Account) -> date:
    return account.clock().date()


@pytest.fixture
def closed_day(today: date) -> str:
    """A day in the newest closed period."""
    return max(period.start for period in world.periods(today) if period.closed).isoformat()
