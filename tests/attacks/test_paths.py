"""A path means one thing: what could be read in two ways is refused, and the upstream gets the one spelling decided on."""

from urllib.parse import unquote_to_bytes

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.attacks.process import GatewayProcess, statuses

ITEMS = b"/echo/v1/items"


def asked(gateway: GatewayProcess, target: bytes, host: bytes = b"x") -> bytes:
    return gateway.talk(b"GET " + target + b" HTTP/1.1\r\nHost: " + host + b"\r\nConnection: close\r\n\r\n")


@pytest.mark.parametrize(
    "target",
    [
        b"//echo/v1/items", b"/echo//v1/items", ITEMS + b"//one", ITEMS + b"/one/", ITEMS + b"/", b"/./echo/v1/items",
        ITEMS + b"/./one", ITEMS + b"/.", ITEMS + b"/..", ITEMS + b"/../items", b"/echo/v1/../v1/items", b"/../echo/v1/items",
        ITEMS + b"/%2e", ITEMS + b"/%2e%2e", ITEMS + b"/%2E%2e/items", ITEMS + b"/.%2e/items", ITEMS + b"/%2e./items",
        ITEMS + b"%2fone", ITEMS + b"/a%2Fb", ITEMS + b"/a%5cb", ITEMS + b"/a%5Cb", ITEMS + b"\\one", ITEMS + b"/..\\items",
        ITEMS + b"/%252e%252e/items", ITEMS + b"/%252f", ITEMS + b"/%25252f", ITEMS + b"/%%32%66", ITEMS + b"/%25%32%66",
        ITEMS + b"/%c0%ae%c0%ae", ITEMS + b"/%c0%af", ITEMS + b"/%e0%80%af", ITEMS + b"/%f0%80%80%af", ITEMS + b"/%ff",
        ITEMS + b"/%u002f", ITEMS + b"/%zz", ITEMS + b"/%2", ITEMS + b"/%", ITEMS + b"/%00", ITEMS + b"/one%00.png",
        ITEMS + b"/%0d%0aX:%20y", ITEMS + b"/%0a", ITEMS + b"/%09", ITEMS + b"/%7f", ITEMS + b"/..;/items",
        ITEMS + b"/..;a=b/items",
        ITEMS + b"/.;/one", ITEMS + b"/;/one", b"/;a=b/echo/v1/items", ITEMS + b"/a{b}", ITEMS + b'/a"b', ITEMS + b"/a<b>",
        ITEMS + b"/a|b",
        ITEMS + b"/a^b", ITEMS + b"/a`b", ITEMS + b"/\xc3\xa9", ITEMS + b"/\xff", ITEMS + b"/a b", ITEMS + b"/a\tb",
        ITEMS + b"/a\x00b",
        b"echo/v1/items", b"*", b"", b"?", b"x:80", b"http://", b"http:/echo/v1/items", b"http://x", b"x/echo/v1/items",
    ],
)  # fmt: skip
def test_what_two_readers_could_read_differently_is_refused_and_goes_nowhere(gateway: GatewayProcess, target: bytes) -> None:
    received = asked(gateway, target)

    assert statuses(received) == [400]
    assert b"application/problem+json" in received
    assert gateway.upstream.requests == []


@pytest.mark.parametrize(
    "target",
    [
        b"/ECHO/v1/items", b"/echo/V1/items", ITEMS + b";a=b", ITEMS + b"/one/two", b"/echo/v1", b"/echo", b"/items",
        b"/echo/v1/items.json", b"/echo/v2/items", b"/echo;x/v1/items", ITEMS + b"%3fone", ITEMS + b"%23one", ITEMS + b"%20",
        ITEMS + b":one",
    ],
)  # fmt: skip
def test_what_is_only_alike_is_not_there(gateway: GatewayProcess, target: bytes) -> None:
    assert statuses(asked(gateway, target)) == [404]
    assert gateway.upstream.requests == []


@pytest.mark.parametrize(
    ("target", "seen"),
    [
        (ITEMS + b"/one", "/items/one"),
        (b"/%65cho/v1/items/one", "/items/one"),
        (ITEMS + b"/%6fne", "/items/one"),
        (ITEMS + b"/%6Fne", "/items/one"),
        (ITEMS + b"/a%20b", "/items/a%20b"),
        (ITEMS + b"/a%3fb%23c", "/items/a%3Fb%23c"),
        (ITEMS + b"/caf%c3%a9", "/items/caf%C3%A9"),
        (ITEMS + b"/100%25", "/items/100%25"),
        (ITEMS + b"/one;a=b", "/items/one;a=b"),
        (ITEMS + b"/...", "/items/..."),
        (ITEMS + b"/a..b", "/items/a..b"),
        (ITEMS + b"/GET%20%2Fadmin".replace(b"%2F", b"-"), "/items/GET%20-admin"),
    ],
)  # fmt: skip
def test_of_all_spellings_the_upstream_sees_one(gateway: GatewayProcess, target: bytes, seen: str) -> None:
    assert statuses(asked(gateway, target)) == [200]
    assert gateway.upstream.requests == [(f"GET {seen} HTTP/1.1", b"")]


@pytest.mark.parametrize("target", [b"http://x", b"http://evil.test", b"https://evil.test:8443", b"http://a:b@x"])
def test_an_absolute_target_is_its_path_and_no_host_of_it_is_believed(gateway: GatewayProcess, target: bytes) -> None:
    received = asked(gateway, target + ITEMS + b"/one")

    assert statuses(received) == [200]
    (head,) = gateway.upstream.heads
    assert head.startswith(b"GET /items/one HTTP/1.1\r\nhost: 127.0.0.1:%d\r\n" % gateway.upstream.port)
    assert b"evil.test" not in head
    assert b"x-forwarded-host: x\r\n" in head


def test_a_fragment_is_never_sent_on(gateway: GatewayProcess) -> None:
    received = asked(gateway, ITEMS + b"/one#/../admin")

    assert statuses(received) in ([200], [400])
    assert [line for line, _ in gateway.upstream.requests if "#" in line or "admin" in line] == []


PIECES = st.sampled_from(
    [
        b"/",
        b".",
        b"..",
        b"%2e",
        b"%2F",
        b"%5c",
        b"\\",
        b";",
        b"%25",
        b"a",
        b"%61",
        b"%c0%ae",
        b"//",
        b"?",
        b"#",
        b"%00",
        b"items",
        b"x:",
    ]
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(PIECES, max_size=7).map(b"".join))
def test_no_mixture_of_tricks_reaches_anything_but_items(gateway: GatewayProcess, tail: bytes) -> None:
    gateway.upstream.forget()
    received = asked(gateway, ITEMS + tail)

    (status,) = statuses(received)
    assert status in (200, 400, 404, 422)
    assert len(gateway.upstream.requests) == (1 if status == 200 else 0)
    for line, _ in gateway.upstream.requests:
        path = line.split(" ")[1].partition("?")[0].encode()
        segments = unquote_to_bytes(path).split(b"/")
        assert segments[:2] == [b"", b"items"]
        assert not {b"", b".", b".."} & set(segments[1:])
