"""A certificate is believed of the terminator only, in the way it tells it, and nobody else's word about it gets through."""

from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa as rsa_keys
from hypothesis import given
from hypothesis import strategies as st

from gateway.oauth.terminator import BadCertificate, Terminator, has_subject, thumbprint
from gateway.proxies import PEER
from kernel.sections.terminator import Terminator as Settings
from tests.gateway.oauth.holding import certificate, escaped_pem, rfc9440, x5t

DER, OTHER = certificate(), certificate("CN=somebody else")
TRUSTED = "10.0.0.7"


def terminator(**said: Any) -> Terminator:
    return Terminator(Settings.model_validate({"addresses": ["10.0.0.0/24", "fd00::/8"], **said}))


def asked(*headers: tuple[str, str], peer: str | None = TRUSTED) -> tuple[dict[str, Any], dict[bytes, bytes]]:
    listed = [(name.encode(), value.encode("latin-1")) for name, value in headers]
    return {"type": "http", "headers": listed, "client": (peer, 1) if peer else None}, dict(reversed(listed))


def shown(ends: Terminator, *headers: tuple[str, str], peer: str | None = TRUSTED) -> bytes | None:
    scope, first = asked(*headers, peer=peer)
    ends.take(scope, first)
    assert not ends.headers & {name for name, _ in scope["headers"]}
    assert not ends.headers & first.keys()
    return ends.certificate(scope)


@pytest.mark.parametrize(
    ("said", "header", "value"),
    [
        ({}, "client-cert", rfc9440(DER)),
        ({"header": "X-SSL-Client-Cert", "format": "pem"}, "x-ssl-client-cert", escaped_pem(DER)),
        ({"header": "X-TLS", "format": "pem"}, "x-tls", escaped_pem(DER)),
        (
            {"header": "X-Forwarded-Client-Cert", "format": "xfcc"},
            "x-forwarded-client-cert",
            f'Hash=00;Cert="{escaped_pem(DER)}"',
        ),
        (
            {"header": "X-Forwarded-Client-Cert", "format": "xfcc"},
            "x-forwarded-client-cert",
            f'By=a;Cert="{escaped_pem(OTHER)}";Subject="CN=\\"x,y\\"",By=b;Cert="{escaped_pem(DER)}";Subject="CN=a,O=b;c";URI=spiffe://x',
        ),
    ],
)
def test_the_certificate_is_read_in_each_of_the_ways_in_which_it_is_told(said, header, value) -> None:
    assert shown(terminator(**said), (header, value)) == DER


@pytest.mark.parametrize("peer", ["10.0.0.7", "::ffff:10.0.0.7", "fd00::1"])
def test_the_terminator_is_known_by_its_address_however_it_is_spelled(peer) -> None:
    assert shown(terminator(), ("client-cert", rfc9440(DER)), peer=peer) == DER


@pytest.mark.parametrize("peer", ["10.0.1.7", "192.0.2.1", "::1", "", None, "10.0.0.7.evil.test", "unix:"])
def test_nobody_else_is_believed(peer) -> None:
    assert shown(terminator(), ("client-cert", rfc9440(DER)), peer=peer) is None


def test_the_caller_behind_a_proxy_is_not_taken_for_the_terminator() -> None:
    scope, headers = asked(("client-cert", rfc9440(DER)), peer=TRUSTED)
    scope[PEER] = ("192.0.2.1", 1)  # who is connected; `client` is what it said about its caller
    terminator().take(scope, headers)

    assert terminator().certificate(scope) is None


def test_without_a_terminator_nobody_is_believed_at_all() -> None:
    assert shown(Terminator(), ("client-cert", rfc9440(DER)), peer="127.0.0.1") is None


@pytest.mark.parametrize(
    "header",
    [
        "client-cert",
        "client-cert-chain",
        "x-forwarded-client-cert",
        "x_forwarded_client_cert",
        "x-ssl-client-cert",
        "client_cert",
    ],
)
def test_headers_that_could_be_taken_for_it_are_dropped_even_from_the_terminator(header) -> None:
    ends = terminator(header="X-TLS", format="rfc9440")

    assert shown(ends, (header, rfc9440(DER)), ("accept", "*/*")) is None


def test_a_header_that_is_there_twice_says_nothing() -> None:
    assert shown(terminator(), ("client-cert", rfc9440(DER)), ("client-cert", rfc9440(OTHER))) is None


@pytest.mark.parametrize("value", ["", ":", "::", ":!:", "AAAA", rfc9440(DER)[1:], ":AAA:", "\u00e9"])
def test_what_cannot_be_read_is_an_error_of_its_own(value) -> None:
    with pytest.raises(BadCertificate):
        shown(terminator(), ("client-cert", value))


@pytest.mark.parametrize(
    "value", ["", "Hash=00", 'Cert=""', 'Cert="%FF"', "Cert=x,By=y", "%%%", 'Cert="-----BEGIN CERTIFICATE-----"']
)
def test_an_unreadable_word_of_envoy_is_too(value) -> None:
    with pytest.raises(BadCertificate):
        shown(terminator(header="X-Forwarded-Client-Cert", format="xfcc"), ("x-forwarded-client-cert", value))


@given(
    st.sampled_from(["rfc9440", "xfcc", "pem"]),
    st.text(st.characters(max_codepoint=255), max_size=80) | st.sampled_from([rfc9440(DER)]),
)
def test_nothing_that_can_be_told_fails_in_another_way(form, value) -> None:
    try:
        read = shown(terminator(header="X-TLS", format=form), ("x-tls", value))
    except BadCertificate:
        return

    assert read is not None


def test_the_thumbprint_is_that_of_rfc_8705() -> None:
    assert thumbprint(DER) == x5t(DER)
    assert len(thumbprint(DER)) == 43


@pytest.mark.parametrize(
    ("subject", "same"),
    [
        ("CN=northwind,O=Northwind Devices", True), ("CN=northwind, O=Northwind Devices", False),
        ("O=Northwind Devices,CN=northwind", False),
        ("CN=Northwind,O=Northwind Devices", False), ("CN=northwind", False), ("", False), ("northwind", False), ("CN=*", False),
    ],
)  # fmt: skip
def test_a_subject_is_the_whole_name_and_nothing_like_it(subject, same) -> None:
    assert has_subject(DER, subject) is same


def test_a_subject_is_compared_as_a_name_whatever_the_key() -> None:
    der = certificate("CN=a\\,b,O=c", rsa_keys.generate_private_key(65537, 2048))

    assert has_subject(der, "CN=a\\2Cb,O=c")
    assert not has_subject(b"not a certificate", "CN=a")
