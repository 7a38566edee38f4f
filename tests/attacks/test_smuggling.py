"""No bytes make one request look like two, or two like one: each framing has a stated answer, and the upstream sees no other.

Every case is sent in one piece with an honest request behind it. `200` at the end of the answers is that one's: the connection
stayed; without it the connection was closed, and nothing that followed was heard.
"""

import time

import pytest

from tests.attacks.process import GatewayProcess, gateway_process, statuses

ITEMS = b"/echo/v1/items"
PROBE = b"GET " + ITEMS + b"/probe HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
SMUGGLED = b"GET " + ITEMS + b"/smuggled HTTP/1.1\r\nHost: x\r\n\r\n"
POST = b"POST " + ITEMS + b" HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
GET = b"GET " + ITEMS + b"/one HTTP/1.1\r\nHost: x\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n"
END = b"2\r\n{}\r\n0\r\n\r\n"
POSTED, GOT, PROBED = ("POST /items HTTP/1.1", b"{}"), ("GET /items/one HTTP/1.1", b""), ("GET /items/probe HTTP/1.1", b"")


def length(value: bytes) -> bytes:
    return POST + b"Content-Length: " + value + b"\r\n\r\n{}"


def chunks(body: bytes) -> bytes:
    return POST + CHUNKED + b"\r\n" + body


def coding(value: bytes) -> bytes:
    return POST + b"Transfer-Encoding:" + value + b"\r\n\r\n" + END + SMUGGLED


# Read in one way, and served.
SERVED = {
    "a length": (length(b"2"), POSTED),
    "a length with zeros": (length(b"0002"), POSTED),
    "chunks": (chunks(END), POSTED),
    "a coding in capitals": (coding(b" CHUNKED").removesuffix(SMUGGLED), POSTED),
    "a coding after a tab": (coding(b"\tchunked").removesuffix(SMUGGLED), POSTED),
    "a chunk extension": (chunks(b"2;a=b\r\n{}\r\n0\r\n\r\n"), POSTED),
    "a quoted chunk extension": (chunks(b'2;a="b;c"\r\n{}\r\n0\r\n\r\n'), POSTED),
    "a chunk size with zeros": (chunks(b"0" * 40 + b"2\r\n{}\r\n0\r\n\r\n"), POSTED),
    "a trailer": (chunks(b"2\r\n{}\r\n0\r\nX-Forwarded-For: 192.0.2.1\r\n\r\n"), POSTED),
    "a length spelled with an underscore": (POST + b"Content-Length: 2\r\nContent_Length: 50\r\n\r\n{}", POSTED),
    "a coding spelled with an underscore": (POST + b"Transfer_Encoding: chunked\r\nContent-Length: 2\r\n\r\n{}", POSTED),
    "empty lines before": (b"\r\n\r\n" + GET + b"\r\n", GOT),
    "two spaces": (b"GET  " + ITEMS + b"/one HTTP/1.1\r\nHost: x\r\n\r\n", GOT),
    "an empty Host": (b"GET " + ITEMS + b"/one HTTP/1.1\r\nHost:\r\n\r\n", GOT),
    "an address as Host": (b"GET " + ITEMS + b"/one HTTP/1.1\r\nHost: [::1]:80\r\n\r\n", GOT),
    "a header above ASCII": (GET + b"X: \xff\r\n\r\n", GOT),
}
REFUSED = {
    "a length and chunks": (POST + b"Content-Length: 6\r\n" + CHUNKED + b"\r\n0\r\n\r\n" + SMUGGLED, 400),
    "chunks and a length": (POST + CHUNKED + b"Content-Length: 4\r\n\r\n5c\r\n" + SMUGGLED + b"0\r\n\r\n", 400),
    "chunked twice": (POST + CHUNKED * 2 + b"\r\n0\r\n\r\n" + SMUGGLED, 400),
    "chunked, chunked": (coding(b" chunked, chunked"), 400),
    "gzip, chunked": (coding(b" gzip, chunked"), 400),
    "chunked, gzip": (coding(b" chunked, gzip"), 400),
    "identity": (coding(b" identity"), 400),
    "identity and a length": (POST + b"Transfer-Encoding: identity\r\nContent-Length: 2\r\n\r\n{}", 400),
    "an empty coding": (coding(b""), 400),
    "xchunked": (coding(b" xchunked"), 400),
    "a quoted coding": (coding(b' "chunked"'), 400),
    "a coding with a parameter": (coding(b" chunked;q=1"), 400),
    "a coding with a comma": (coding(b" chunked,"), 400),
    "a coding after a vertical tab": (coding(b" \x0bchunked"), 400),
    "a coding with a NUL": (coding(b" chunked\x00"), 400),
    "a folded coding": (coding(b"\r\n chunked"), 400),
    "a coding before a space": (POST + b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n" + SMUGGLED, 400),
    "a coding after a space": (POST + b" Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + SMUGGLED, 400),
    "a coding behind a bare LF": (POST + b"X: y\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + SMUGGLED, 400),
    "a coding behind a bare CR": (POST + b"X: y\rTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + SMUGGLED, 400),
    "one length twice": (POST + b"Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}", 400),
    "two lengths": (POST + b"Content-Length: 2\r\nContent-Length: 4\r\n\r\n{}", 400),
    "a length before a bare LF": (POST + b"Content-Length: 2\n\r\n{}", 400),
    "a length before a tab": (length(b"2\t"), 400),
    "a length of more than may be": (length(b"999999999999"), 413),
    **{
        f"the length {value.decode()!r}": (length(value), 400)
        for value in (
            b"", b"2, 2", b"+2", b"-2", b"0x2", b"2 2", b"2_0", b"2.0", b"2e0", "٢".encode(), b"18446744073709551618", b"9" * 30
        )
    },
    **{
        f"the chunk {body!r:.40}": (chunks(body), 400)
        for body in (
            b"0x2\r\n{}\r\n0\r\n\r\n", b"+2\r\n{}\r\n0\r\n\r\n", b"-2\r\n{}\r\n0\r\n\r\n", b"2 \r\n{}\r\n0\r\n\r\n",
            b" 2\r\n{}\r\n0\r\n\r\n", b"\r\n{}\r\n0\r\n\r\n", b"2\n{}\r\n0\r\n\r\n", b"2\r{}\r\n0\r\n\r\n",
            b"2;a\n{}\r\n0\r\n\r\n",
            b"2;a\r{}\r\n0\r\n\r\n", b"2\r\n{}\n0\r\n\r\n", b"2\r\n{}\r\n0\r\n\n", b"2\r\n{}x\r\n0\r\n\r\n",
            b"10000000000000002\r\n{}\r\n0\r\n\r\n", b"2\r\n{}\r\n0\r\nContent-Length: 50\r\n\r\n",
            b"2\r\n{}\r\n0\r\nX y\r\n\r\n",
        )
    },
    "a chunk without end": (chunks(b"ffffffffffffffff\r\n" + b" " * 6000), 413),
    "trailers without end": (chunks(b"2\r\n{}\r\n0\r\n" + b"X: y\r\n" * 300 + b"\r\n"), 431),
    "a folded header": (GET + b"X: a\r\n b\r\n\r\n", 400),
    "a folded first header": (b"GET " + ITEMS + b"/one HTTP/1.1\r\n Host: x\r\n\r\n", 400),
    **{
        f"the header {header!r}": (GET + header + b"\r\n\r\n", 400)
        for header in (
            b"X: a\x00b", b"X\x00: a", b"X: a\x01b", b"X: a\x7fb", b"X: a\rb", b"X: a\nY: b", b"\xc3\x9c: a", b": a", b"X",
            b"X Y: a"
        )
    },
    "no Host": (b"GET " + ITEMS + b"/one HTTP/1.1\r\n\r\n", 400),
    "two Hosts": (GET + b"Host: y\r\n\r\n", 400),
    "one Host twice": (GET + b"Host: x\r\n\r\n", 400),
    **{
        f"the Host {host.decode()}": (b"GET " + ITEMS + b"/one HTTP/1.1\r\nHost: " + host + b"\r\n\r\n", 400)
        for host in (b"x, y", b"x y", b"x/../y", b"a@b", b"x?y", b"x#y", b"%78")
    },
    "bare LFs": (b"GET " + ITEMS + b"/one HTTP/1.1\nHost: x\n\n", 400),
    "bare CRs": (b"GET " + ITEMS + b"/one HTTP/1.1\rHost: x\r\r", 400),
    "a tab in the request line": (b"GET\t" + ITEMS + b"/one HTTP/1.1\r\nHost: x\r\n\r\n", 400),
    "a space before the method": (b" " + GET + b"\r\n", 400),
    "a method in small letters": (b"get " + ITEMS + b"/one HTTP/1.1\r\nHost: x\r\n\r\n", 400),
    "a method nobody knows": (b"FOO " + ITEMS + b"/one HTTP/1.1\r\nHost: x\r\n\r\n", 400),
    "HTTP/0.9": (b"GET " + ITEMS + b"/one\r\n", 400),
    "HTTP/0.9 by name": (b"GET " + ITEMS + b"/one HTTP/0.9\r\n\r\n", 400),
    "HTTP/1.2": (b"GET " + ITEMS + b"/one HTTP/1.2\r\nHost: x\r\n\r\n", 400),
    "HTTP/2.0 by name": (b"GET " + ITEMS + b"/one HTTP/2.0\r\nHost: x\r\n\r\n", 400),
    "http/1.1": (b"GET " + ITEMS + b"/one http/1.1\r\nHost: x\r\n\r\n", 400),
    "the preface of HTTP/2": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400),
    "a TLS handshake": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400),
    "a tunnel": (b"CONNECT x:443 HTTP/1.1\r\nHost: x:443\r\n\r\n", 400),
    "an upgrade with a body": (POST + b"Connection: Upgrade\r\nUpgrade: h2c\r\nContent-Length: 75\r\n\r\n" + SMUGGLED, 400),
    "an upgrade with chunks": (POST + b"Connection: Upgrade\r\nUpgrade: websocket\r\n" + CHUNKED + b"\r\n" + END, 400),
    "a long header": (GET + b"X: " + b"a" * 20_000 + b"\r\n\r\n", 431),
    "a hundred headers more": (GET + b"".join(b"X-%d: a\r\n" % number for number in range(100)) + b"\r\n", 431),
    "a long path": (b"GET " + ITEMS + b"/" + b"a" * 9000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", 414),
}  # fmt: skip
NOT_PROMISED = {
    "a body that GET does not promise": (GET + b"Content-Length: 2\r\n\r\n{}", 400),
    "chunks that GET does not promise": (GET + CHUNKED + b"\r\n" + END, 400),
    "a body nobody promised": (b"POST /nowhere HTTP/1.1\r\nHost: x\r\nContent-Length: 75\r\n\r\n" + SMUGGLED.ljust(75), 404),
    "chunks nobody promised": (b"POST /nowhere HTTP/1.1\r\nHost: x\r\n" + CHUNKED + b"\r\n" + END, 404),
    "a method nobody promised": (
        b"DELETE " + ITEMS + b" HTTP/1.1\r\nHost: x\r\nContent-Length: 75\r\n\r\n" + SMUGGLED.ljust(75), 405
    ),
    "a body that is not JSON": (POST + b"Content-Length: 75\r\n\r\n" + SMUGGLED.ljust(75), 400),
    "OPTIONS *": (b"OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n", 400),
    "a trace": (b"TRACE " + ITEMS + b" HTTP/1.1\r\nHost: x\r\n\r\n", 405),
}  # fmt: skip
ENDING = {
    "HTTP/1.0": (b"GET " + ITEMS + b"/one HTTP/1.0\r\n\r\n", GOT),
    "HTTP/1.0 that wants to stay": (b"GET " + ITEMS + b"/one HTTP/1.0\r\nHost: x\r\nConnection: keep-alive\r\n\r\n", GOT),
    "HTTP/1.0 with chunks": (chunks(END).replace(b"HTTP/1.1", b"HTTP/1.0"), POSTED),
    "an upgrade to HTTP/2": (
        GET + b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n\r\n" + SMUGGLED, GOT
    ),
    "Connection: close": (GET + b"Connection: close\r\n\r\n" + SMUGGLED, GOT),
}  # fmt: skip
EXPECTING = {
    "an announced body": (POST + b"Expect: 100-continue\r\nContent-Length: 2\r\n\r\n{}", [100, 200, 200]),
    "no body": (GET + b"Expect: 100-continue\r\n\r\n", [200, 200]),
    "something else": (POST + b"Expect: magic\r\nContent-Length: 2\r\n\r\n{}", [200, 200]),
    "too much": (POST + b"Expect: 100-continue\r\nContent-Length: 6000\r\n\r\n", [413]),
    "what nobody promised": (
        b"POST /nowhere HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n{}",
        [404, 200],
    ),
}


@pytest.mark.parametrize("name", SERVED)
def test_what_reads_in_one_way_only_is_served(gateway: GatewayProcess, name: str) -> None:
    sent, seen = SERVED[name]
    received = gateway.talk(sent + PROBE)

    assert statuses(received) == [200, 200]
    assert gateway.upstream.requests == [seen, PROBED]
    assert gateway.upstream.strange == []


@pytest.mark.parametrize("name", REFUSED)
def test_what_two_readers_could_read_in_two_ways_is_a_problem_and_the_end(gateway: GatewayProcess, name: str) -> None:
    sent, status = REFUSED[name]
    received = gateway.talk(sent + PROBE)

    assert statuses(received) == [status]
    head, _, body = received.partition(b"\r\n\r\n")
    assert b"content-type: application/problem+json" in head
    assert b"connection: close" in head
    assert b"uvicorn" not in received
    assert body.startswith(b"{")
    assert gateway.upstream.requests == []
    assert gateway.upstream.strange == []


@pytest.mark.parametrize("name", NOT_PROMISED)
def test_the_body_of_a_refused_request_is_never_taken_for_a_request(gateway: GatewayProcess, name: str) -> None:
    sent, status = NOT_PROMISED[name]
    received = gateway.talk(sent + PROBE)

    assert statuses(received) == [status, 200]
    assert gateway.upstream.requests == [PROBED]


@pytest.mark.parametrize("name", ENDING)
def test_what_ends_the_connection_is_served_and_nothing_after_it(gateway: GatewayProcess, name: str) -> None:
    sent, seen = ENDING[name]
    received = gateway.talk(sent + PROBE)

    assert statuses(received) == [200]
    assert b"connection: close" in received
    assert gateway.upstream.requests == [seen]


@pytest.mark.parametrize("name", EXPECTING)
def test_whoever_asks_first_is_answered_first(gateway: GatewayProcess, name: str) -> None:
    sent, expected = EXPECTING[name]

    assert statuses(gateway.talk(sent + PROBE)) == expected


def test_a_body_behind_an_upgrade_is_no_request_though_it_comes_later(gateway: GatewayProcess) -> None:
    head = POST + b"Connection: Upgrade\r\nUpgrade: h2c\r\nContent-Length: %d\r\n\r\n" % len(SMUGGLED)
    received = gateway.talk(head, SMUGGLED + PROBE)

    assert statuses(received) == [400]
    assert gateway.upstream.requests == []


def test_what_tells_an_upstream_another_path_or_method_stays_here(gateway: GatewayProcess) -> None:
    said = {
        b"X-Original-URL": b"/admin", b"X-Rewrite-URL": b"/admin", b"X-HTTP-Method-Override": b"DELETE", b"X-HTTP-Method": b"PUT",
        b"X-Method-Override": b"PUT", b"X_HTTP_Method_Override": b"DELETE", b"X-Consumer-Id": b"1", b"X_Remote_User": b"root",
        b"X-Forwarded-Host": b"evil.test", b"X_Forwarded_Proto": b"gopher", b"Proxy-Connection": b"keep-alive",
        b"TE": b"trailers",
    }  # fmt: skip
    gateway.talk(GET + b"".join(name + b": " + value + b"\r\n" for name, value in said.items()) + b"Connection: close\r\n\r\n")

    (head,) = gateway.upstream.heads
    sent = {line.partition(b":")[0].lower() for line in head.split(b"\r\n")[1:]}
    ours = {b"x-forwarded-host"}  # told anew
    assert sent.isdisjoint({name.lower() for name in said} - ours)
    assert b"evil.test" not in head


def test_no_header_named_in_connection_takes_away_what_frames_a_body(gateway: GatewayProcess) -> None:
    received = gateway.talk(POST + b"Connection: Content-Length, Host, X-Correlation-Id\r\nContent-Length: 2\r\n\r\n{}" + PROBE)

    assert statuses(received) == [200, 200]
    assert gateway.upstream.requests == [POSTED, PROBED]
    assert b"\r\nhost: 127.0.0.1" in gateway.upstream.heads[0]


def test_a_call_under_way_keeps_its_answer_when_what_follows_is_broken(tmp_path_factory: pytest.TempPathFactory) -> None:
    with gateway_process(tmp_path_factory.mktemp("slow"), delay=0.5) as slow:
        begun = time.monotonic()
        received = slow.talk(GET + b"\r\nBROKEN\x00\r\n\r\n" + SMUGGLED)

        assert statuses(received) == [200]
        assert b"connection: close" in received
        assert time.monotonic() - begun > 0.4
        assert slow.upstream.requests == [GOT]
