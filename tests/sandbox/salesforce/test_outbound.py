"""Outbound messages, as a listener on the network receives them."""

# ruff: noqa: S608, no SQL: SOQL of fixed texts for the imitation

import queue
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from xml.etree import ElementTree

import pytest

from .conftest import Sandbox, V

ACK = (
    '<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"><soapenv:Body><notificationsResponse '
    'xmlns="http://soap.sforce.com/2005/09/outbound"><Ack>{}</Ack></notificationsResponse></soapenv:Body></soapenv:Envelope>'
)
OUT, SF = "{http://soap.sforce.com/2005/09/outbound}", "{urn:sobject.enterprise.soap.sforce.com}"
PATIENCE = 5


class Listener:
    """Receives messages; `answers` are its next Acks, true when there is none."""

    def __init__(self) -> None:
        self.received: queue.Queue[tuple[dict[str, str], bytes]] = queue.Queue()
        self.answers: list[str] = []
        listener = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                ack = listener.answers.pop(0) if listener.answers else "true"
                self.send_response(200)
                self.end_headers()
                self.wfile.write(ACK.format(ack).encode())
                listener.received.put((dict(self.headers), body))

            def log_message(self, *args: Any) -> None:
                """Says nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook"

    def notifications(self) -> list[tuple[str, dict[str, str]]]:
        """(notification id, fields) of each in the next message."""
        _, body = self.received.get(timeout=PATIENCE)
        root = ElementTree.fromstring(body)  # noqa: S314, our own server wrote it
        return [
            (
                str(one.findtext(f"{OUT}Id")),
                {field.tag.removeprefix(SF): field.text or "" for field in one.iterfind(f"{OUT}sObject/*")},
            )
            for one in root.iter(f"{OUT}Notification")
        ]


@pytest.fixture
def listener() -> Iterator[Listener]:
    made = Listener()
    thread = threading.Thread(target=made.server.serve_forever)
    thread.start()
    yield made
    made.server.shutdown()
    made.server.server_close()
    thread.join()


def subscribe(sandbox: Sandbox, listener: Listener, **more: Any) -> None:
    body = {"url": listener.url, "object": "Quote", **more}
    assert sandbox.http.post("/services/sandbox/outbound-messages", json=body).status_code == 201


def quote(sandbox: Sandbox, number: str = "Q-1001") -> str:
    return str(sandbox.one(f"SELECT Id FROM Quote WHERE QuoteNumber = '{number}'")["Id"])


def accept(sandbox: Sandbox, id_: str, status: str = "Accepted") -> None:
    assert sandbox.api.patch(f"{V}/sobjects/Quote/{id_}", json={"Status": status}).status_code == 204


def test_a_changed_record_is_told_in_soap(sandbox: Sandbox, listener: Listener) -> None:
    subscribe(sandbox, listener, fields=["Status", "Contract_Months__c"])
    id_ = quote(sandbox)

    accept(sandbox, id_)

    headers, body = listener.received.get(timeout=PATIENCE)
    assert headers["Content-Type"] == "text/xml; charset=utf-8"
    assert headers["SOAPAction"] == '""'
    listener.received.put((headers, body))
    ((number, fields),) = listener.notifications()
    assert number.startswith("04l")
    assert fields == {"Id": id_, "Status": "Accepted", "Contract_Months__c": "12"}
    root = ElementTree.fromstring(body)  # noqa: S314, our own server wrote it
    assert root.findtext(f".//{OUT}OrganizationId", "").startswith("00D")
    assert root.findtext(f".//{OUT}ActionId", "").startswith("04k")


def test_only_the_wanted_object_is_told_and_only_when_it_was_stored(sandbox: Sandbox, listener: Listener) -> None:
    subscribe(sandbox, listener, object="Account")
    sandbox.api.post(f"{V}/sobjects/Account", json={"Name": "Refused", "Colour": 1})
    accept(sandbox, quote(sandbox))
    made = sandbox.create("Account", Name="Bell & Sons <Ltd>", AnnualRevenue=12.5)

    ((_, fields),) = listener.notifications()

    assert (fields["Id"], fields["Name"], fields["AnnualRevenue"]) == (made, "Bell & Sons <Ltd>", "12.5")
    assert listener.received.empty()


def test_what_is_not_acknowledged_comes_once_more(sandbox: Sandbox, listener: Listener) -> None:
    subscribe(sandbox, listener)
    listener.answers = ["false"]

    accept(sandbox, quote(sandbox))

    assert listener.notifications() == listener.notifications()
    accept(sandbox, quote(sandbox), "Denied")
    ((_, fields),) = listener.notifications()
    assert fields["Status"] == "Denied"


def test_events_may_come_twice(sandbox: Sandbox, listener: Listener) -> None:
    subscribe(sandbox, listener)
    sandbox.fault("duplicate_events")

    accept(sandbox, quote(sandbox))

    assert listener.notifications() == listener.notifications()


def test_events_may_come_newest_first(sandbox: Sandbox, listener: Listener) -> None:
    subscribe(sandbox, listener)
    first, second = quote(sandbox, "Q-1001"), quote(sandbox, "Q-1002")
    sandbox.fault("reorder_events")

    accept(sandbox, first)
    accept(sandbox, second)

    assert [fields["Id"] for _, fields in listener.notifications()] == [second, first]


def test_a_listener_that_is_gone_delays_nobody(sandbox: Sandbox, listener: Listener) -> None:
    subscribe(sandbox, listener, url="http://127.0.0.1:9/nobody")

    accept(sandbox, quote(sandbox))

    assert sandbox.http.get("/services/sandbox/outbound-messages").json()[0]["object"] == "Quote"
    assert sandbox.http.delete("/services/sandbox/outbound-messages").status_code == 204
    assert sandbox.http.get("/services/sandbox/outbound-messages").json() == []


def test_a_message_needs_a_place_and_a_known_object(sandbox: Sandbox) -> None:
    for body in ({}, {"url": "http://127.0.0.1/"}, {"url": "http://127.0.0.1/", "object": "Shop"}, []):
        assert sandbox.http.post("/services/sandbox/outbound-messages", json=body).status_code == 400
