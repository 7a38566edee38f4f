"""What a client may be: grants that fit its proof, and addresses its users can be sent back to without being led astray."""

from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.oauth.client_rules import (
    ASSERTION,
    BASIC,
    CLIENT_CREDENTIALS,
    CODE,
    EXCHANGE,
    GRANTS,
    METHODS,
    NONE,
    REFRESH,
    SECRETS,
    TLS,
    BadClient,
    check_addresses,
    check_client,
    check_redirects,
)
from gateway.oauth.clients import CLIENT_ID, Details

BACK = "https://p.example/back"
only_sqlite = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


@pytest.mark.parametrize(
    ("grants", "method", "why"),
    [
        ([], BASIC, "not none"), (["password"], BASIC, "password"), ([CODE], "magic", "not magic"),
        ([CLIENT_CREDENTIALS], NONE, "no grant but"), ([EXCHANGE], NONE, "no grant but"), ([REFRESH], BASIC, "comes with"),
        ([CLIENT_CREDENTIALS], ASSERTION, "public keys"), ([CLIENT_CREDENTIALS], TLS, "certificate"),
    ],
)  # fmt: skip
def test_grants_and_proof_must_fit(grants, method, why) -> None:
    with pytest.raises(BadClient, match=why):
        check_client(grants, method, [BACK], keys=False, certificate=False)


def test_users_must_be_sent_back_somewhere() -> None:
    with pytest.raises(BadClient, match="redirect URI"):
        check_client([CODE], BASIC, [], keys=False, certificate=False)


@pytest.mark.parametrize(
    "uri", [BACK, "https://p.example:8443/a?b=c", "http://127.0.0.1:1/x", "http://[::1]:9/x", "com.acme.app:/x"]
)
def test_these_are_good_addresses(uri) -> None:
    check_redirects([uri])


@pytest.mark.parametrize(
    "uri",
    ["", "p.example", "http://p.example/", "http://localhost/", "https://", "https:///x", "https://a@p.example/", BACK + "#x",
     "javascript:alert(1)", "data:text/html,x", "file:///etc/passwd", "https://p.example/\n", "https://p.example/ x",
     "https://p.example/\u00e9", "http://[::1", "https://p.example:99999/", "https://p.example/" + "x" * 1000, "app://x",
     'https://p.example/"', "https://p.example\\@evil.example/", "http://127.0.0.1.evil.example/", "http://127.0.0.1@evil.example/"],
)  # fmt: skip
def test_these_are_not(uri) -> None:
    with pytest.raises(BadClient):
        check_redirects([uri])


@given(st.text(max_size=60) | st.from_regex(r"https?://[a-z0-9.:@\[\]/\\#?]{0,30}", fullmatch=True))
def test_whatever_is_taken_leads_nowhere_by_plain_http_but_to_this_machine(uri) -> None:
    try:
        check_redirects([uri])
    except BadClient:
        return
    parts = urlsplit(uri)

    assert parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in ("127.0.0.1", "::1")) or "." in parts.scheme
    assert not parts.fragment
    assert parts.username is None


def test_ten_addresses_are_enough() -> None:
    with pytest.raises(BadClient, match="at most 10"):
        check_redirects([f"{BACK}/{number}" for number in range(11)])


@pytest.mark.parametrize("address", ["", "here", "192.0.2.1/33", "192.0.2.1/24", "192.0.2.0/24 "])
def test_a_network_is_one(address) -> None:
    with pytest.raises(BadClient, match="no network"):
        check_addresses(["192.0.2.0/24", address])


@only_sqlite
@pytest.mark.parametrize("method", [*METHODS, NONE])
async def test_only_a_client_that_proves_itself_by_one_has_a_secret(server, method) -> None:
    details = Details(grants=(CODE,), auth_method=method, jwks={"keys": []}, certificate="x", redirect_uris=(BACK,))
    made = await server.clients.add("portal", ["quotes:read"], details=details)

    assert bool(made.secret) is (method in SECRETS)
    assert CLIENT_ID.fullmatch(made.client_id)
    if method not in SECRETS:
        assert await server.clients.prove(made.client_id, made.secret) is None
        with pytest.raises(BadClient, match="not by a secret"):
            await server.clients.add_secret(made.client_id)


def test_every_grant_and_method_is_one_that_can_be_registered() -> None:
    for grant in GRANTS:
        for method in METHODS:
            check_client([grant, CODE], method, [BACK], keys=True, certificate=True)
