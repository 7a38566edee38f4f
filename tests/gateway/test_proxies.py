"""The caller's address is what our own proxies say; whoever is not one of them can say what it likes."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.proxies import PEER, Proxies, address, network

NEAR, FAR = "10.0.0.1", "10.0.0.2"
CALLER = "203.0.113.9"
NETWORKS = ["10.0.0.0/24", "2001:db8::/64"]


def _seen(peer: str | None, *headers: tuple[str, str], read: Any = "x-forwarded-for") -> Any:
    scope: dict[str, Any] = {
        "client": None if peer is None else (peer, 4711),
        "headers": [(name.encode(), value.encode("latin-1")) for name, value in headers],
    }
    Proxies(NETWORKS, read).unmask(scope)
    return scope["client"] and scope["client"][0]


@pytest.mark.parametrize(
    ("listed", "caller"),
    [
        (CALLER, CALLER),
        (f"{CALLER}, {FAR}", CALLER),
        (f"198.51.100.1, {CALLER}, {FAR}", CALLER),  # the leftmost is the caller's own invention
        (f"127.0.0.1,{CALLER}", CALLER),
        (f"{CALLER}:5123", CALLER),
        ("2001:db9::7", "2001:db9::7"),
        ("[2001:db9::7]:443", "2001:db9::7"),
        (f"::ffff:{CALLER}", CALLER),
        (FAR, FAR),
        ("", NEAR),
        ("unknown", None),
        (f"{CALLER}, nonsense", None),
        (f"{CALLER}, {FAR}, 999.1.1.1", None),
    ],
)
def test_hops_are_read_from_the_nearest_to_the_first_that_is_not_ours(listed: str, caller: str | None) -> None:
    assert _seen(NEAR, ("x-forwarded-for", listed)) == caller


@pytest.mark.parametrize(
    ("told", "caller"),
    [
        (f"for={CALLER}", CALLER),
        (f"for={CALLER};proto=https;by={NEAR}", CALLER),
        (f'proto=https;For="{CALLER}:99"', CALLER),
        ('for="[2001:db9::7]:443"', "2001:db9::7"),
        (f"for=198.51.100.1, for={CALLER}, for={FAR}", CALLER),
        (f'for=", for={CALLER}', CALLER),  # a quote that is left open hides nothing
        ("for=_hidden", None),
        ("for=unknown", None),
        ("proto=https", None),
    ],
)
def test_forwarded_is_read_where_that_is_what_our_proxies_write(told: str, caller: str | None) -> None:
    assert _seen(NEAR, ("forwarded", told), read="forwarded") == caller


def test_lines_of_one_header_are_read_as_one_list() -> None:
    assert _seen(NEAR, ("x-forwarded-for", "198.51.100.1"), ("x-forwarded-for", f"{CALLER}, {FAR}")) == CALLER


def test_the_header_that_our_proxies_do_not_write_is_not_read() -> None:
    assert _seen(NEAR, ("forwarded", "for=127.0.0.1"), ("x-forwarded-for", CALLER)) == CALLER
    assert _seen(NEAR, ("forwarded", "for=127.0.0.1")) == NEAR


@given(st.ip_addresses(), st.lists(st.ip_addresses().map(str), max_size=4).map(", ".join))
def test_whoever_is_no_proxy_of_ours_is_never_believed(peer: Any, claimed: str) -> None:
    found = address(str(peer))
    ours = found is not None and any(found in network(text) for text in NETWORKS)

    assert ours or _seen(str(peer), ("x-forwarded-for", claimed)) == str(peer)


@given(st.text('0123456789.:,[]abcdef ;="for_', max_size=60))
def test_nothing_that_is_claimed_to_the_left_of_our_proxys_word_counts(claimed: str) -> None:
    assert _seen(NEAR, ("x-forwarded-for", f"{claimed},{CALLER}")) == CALLER
    assert _seen(NEAR, ("forwarded", f"{claimed},for={CALLER}"), read="forwarded") == CALLER


def test_the_proxy_stays_known_beside_the_caller() -> None:
    scope: dict[str, Any] = {"client": (f"::ffff:{NEAR}", 1), "headers": [(b"x-forwarded-for", CALLER.encode())]}
    Proxies(NETWORKS).unmask(scope)

    assert (scope["client"][0], scope[PEER]) == (CALLER, (f"::ffff:{NEAR}", 1))


def test_a_socket_without_an_address_is_nobody() -> None:
    assert _seen(None, ("x-forwarded-for", CALLER)) is None


@pytest.mark.parametrize("text", ["10.0.0.0/33", "ten", "10.0.0.1/24", ""])
def test_a_network_that_is_none_is_refused_in_words(text: str) -> None:
    with pytest.raises(ValueError, match="is no network such as"):
        network(text)
