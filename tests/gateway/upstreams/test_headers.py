"""What passes between caller and upstream, header by header."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.pipeline import Call
from gateway.upstreams.connection import Head
from gateway.upstreams.endpoint import Address
from gateway.upstreams.headers import Passing

THERE = Address.of("http://catalog.internal:9000/api")
PREFIX = "/catalog/v1"
FOREIGN = Passing(PREFIX, cookies=True, marked=True)


@pytest.fixture
def call(operation: Any) -> Any:
    def make(*headers: tuple[str, str], client: tuple[str, int] | None = ("192.0.2.7", 5), scheme: str = "https") -> Call:
        listed = [(name.encode(), value.encode("latin-1")) for name, value in headers]
        scope = {"type": "http", "method": "GET", "headers": listed, "client": client, "scheme": scheme}
        return Call(scope, _never, _never, operation(), {}, "correlation-1")

    return make


async def _never(*_: Any) -> Any:
    raise AssertionError("nothing is read or sent here")


def sent(passing: Passing, call: Call, name: str) -> list[str]:
    return [value.decode("latin-1") for known, value in passing.outgoing(call) if known == name.encode()]


def back(passing: Passing, *headers: tuple[bytes, bytes], status: int = 200) -> dict[bytes, bytes]:
    return dict(passing.incoming(Head(status, list(headers)), THERE))


def test_the_way_here_is_said_anew(call: Any) -> None:
    spoofed = (
        ("x-forwarded-for", "10.0.0.1"),
        ("forwarded", "for=10.0.0.1"),
        ("x-forwarded-proto", "ftp"),
        ("host", "api.example"),
    )
    asked = call(*spoofed)

    assert sent(FOREIGN, asked, "x-forwarded-for") == ["192.0.2.7"]
    assert sent(FOREIGN, asked, "x-forwarded-proto") == ["https"]
    assert sent(FOREIGN, asked, "x-forwarded-host") == ["api.example"]
    assert sent(FOREIGN, asked, "x-forwarded-prefix") == [PREFIX]
    assert sent(FOREIGN, asked, "forwarded") == ['for=192.0.2.7;host="api.example";proto=https']
    assert sent(FOREIGN, asked, "via") == ["1.1 trivium"]


def test_an_ipv6_address_is_quoted(call: Any) -> None:
    assert sent(FOREIGN, call(client=("2001:db8::1", 5)), "forwarded") == ['for="[2001:db8::1]";proto=https']


@pytest.mark.parametrize("host", ['x";for=1.2.3.4', "a b", "a,b", ""])
def test_a_host_that_is_none_is_not_repeated(call: Any, host: str) -> None:
    assert sent(FOREIGN, call(("host", host)), "forwarded") == ["for=192.0.2.7;proto=https"]
    assert sent(FOREIGN, call(("host", host)), "x-forwarded-host") == []


def test_the_upstream_need_not_be_told_who_calls(call: Any) -> None:
    quiet = Passing(PREFIX, forwarded=False)

    assert [name for name, _ in quiet.outgoing(call(("host", "x"), ("x-forwarded-for", "1.1.1.1")))] == [b"x-correlation-id"]


def test_what_the_caller_showed_us_passes_only_if_it_is_meant_for_the_upstream(call: Any) -> None:
    asked = call(("authorization", "Bearer t"), ("cookie", "a=b"))

    assert sent(FOREIGN, asked, "authorization") == []
    assert sent(Passing(PREFIX, credential=True), asked, "authorization") == ["Bearer t"]
    assert sent(Passing(PREFIX, cookies=False), asked, "cookie") == []


NEIGHBOURLY = ("te", "trailer", "keep-alive", "proxy-authorization", "upgrade", "transfer-encoding", "connection")
NAMING = ("x-remote-user", "X_Remote_User", "x_forwarded_for", "x-trivium-caller", "x_trivium_caller", "x-consumer-username")


@given(
    names=st.lists(st.sampled_from((*NEIGHBOURLY, *NAMING, "x-own", "accept")), unique=True),
    named=st.lists(st.sampled_from(("x-own", "accept", "close", "X-OWN")), max_size=2),
)
def test_nothing_for_a_neighbour_and_nothing_that_names_a_caller_ever_passes(names: list[str], named: list[str]) -> None:
    headers = [(name.lower().encode(), b"v") for name in names if name != "connection"]
    headers += [(b"connection", ", ".join(named).encode())] if named else []
    scope = {"type": "http", "method": "GET", "headers": headers, "client": None, "scheme": "http"}
    call = Call(scope, _never, _never, None, {}, "c")  # type: ignore[arg-type]
    kept = {name for name, _ in Passing(forwarded=False).outgoing(call)} - {b"x-correlation-id"}

    assert kept <= {b"x-own", b"accept"}
    assert kept == {b"x-own", b"accept"} & {name for name, _ in headers} - {each.lower().encode() for each in named}


MOVED = {
    "http://catalog.internal:9000/api/items/1?a=b#c": "/catalog/v1/items/1?a=b#c",
    "/api/items/1": "/catalog/v1/items/1",
    "/api": "/catalog/v1",
    "/api/": "/catalog/v1",
    "//catalog.internal:9000/api/x": "/catalog/v1/x",
    "/apiary": "/apiary",
    "/elsewhere": "/elsewhere",
    "https://login.example/?next=/api": "https://login.example/?next=/api",
    "items/2": "items/2",
    "http://[broken": "http://[broken",
}


@pytest.mark.parametrize("location", MOVED)
def test_a_place_there_is_named_as_it_is_called_here(location: str) -> None:
    assert back(FOREIGN, (b"location", location.encode()))[b"location"].decode() == MOVED[location]


def test_a_redirect_of_our_own_layers_stays_as_it_is() -> None:
    assert back(Passing(), (b"location", b"/api/x")) == {b"location": b"/api/x"}


COOKIES = {
    b"a=b; Path=/api; HttpOnly": b"a=b; Path=/catalog/v1; HttpOnly",
    b"a=b; path=/api/items; Domain=catalog.internal; Secure": b"a=b; Path=/catalog/v1/items; Secure",
    b"a=b; Path=/": b"a=b; Path=/catalog/v1",
    b"a=b; Max-Age=3": b"a=b; Max-Age=3",
}


@pytest.mark.parametrize("cookie", COOKIES)
def test_a_cookie_stays_within_the_service(cookie: bytes) -> None:
    assert back(FOREIGN, (b"set-cookie", cookie))[b"set-cookie"] == COOKIES[cookie]
    assert b"set-cookie" not in back(Passing(PREFIX, cookies=False), (b"set-cookie", cookie))


def test_every_cookie_passes() -> None:
    head = Head(200, [(b"set-cookie", b"a=1"), (b"set-cookie", b"b=2")])

    assert [value for name, value in FOREIGN.incoming(head, THERE) if name == b"set-cookie"] == [b"a=1", b"b=2"]


def test_an_answer_without_a_body_announces_none() -> None:
    assert back(Passing(), (b"content-length", b"10"), (b"etag", b'"x"'), status=304) == {b"etag": b'"x"'}
    assert back(Passing(), (b"content-length", b"10")) == {b"content-length": b"10"}


def test_what_the_next_neighbour_says_for_itself_does_not_pass_back() -> None:
    headers = ((b"connection", b"x-hop"), (b"x-hop", b"1"), (b"keep-alive", b"5"), (b"server", b"s/1"), (b"x-own", b"1"))

    assert back(Passing(), *headers) == {b"x-own": b"1"}
