"""Signed requests: Oracle's own example verifies, every change to what was signed does not, and no nonce counts twice."""

import time

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from oauthlib.oauth1 import SIGNATURE_HMAC_SHA256
from oauthlib.oauth1 import Client as Signer

from sandbox.netsuite.account import ACCOUNT, CONSUMER_KEY, CONSUMER_SECRET, HOST, TOKEN_ID, TOKEN_SECRET
from sandbox.netsuite.tba import base_string, encoded, signature
from tests.sandbox.netsuite.driving import NO_TLS, Account


def signed(url: str, method: str = "GET", **changed: str) -> dict[str, str]:
    """An Authorization header as oauthlib makes it, for another host if need be."""
    keys = {
        "client_secret": CONSUMER_SECRET,
        "resource_owner_secret": TOKEN_SECRET,
        "resource_owner_key": TOKEN_ID,
        "realm": ACCOUNT,
    }
    known = {"client_key": CONSUMER_KEY, **keys, **changed}
    signer = Signer(known.pop("client_key"), signature_method=SIGNATURE_HMAC_SHA256, **known)
    _, headers, _ = signer.sign(url, http_method=method)
    return dict(headers)


def challenge(response: httpx.Response) -> str:
    assert response.status_code == 401
    assert response.json()["o:errorDetails"][0]["o:errorCode"] == "INVALID_LOGIN"
    return response.headers["WWW-Authenticate"]


def test_oracle_s_published_example_has_its_published_signature() -> None:
    params = {
        "oauth_consumer_key": "ef40afdd8abaac111b13825dd5e5e2ddddb44f86d5a0dd6dcf38c20aae6b67e4",
        "oauth_token": "2b0ce516420110bcbd36b69e99196d1b7f6de3c6234c5afb799b73d87569f5cc",
        "oauth_nonce": "fjaLirsIcCGVZWzBX0pg",
        "oauth_timestamp": "1508242306",
        "oauth_signature_method": "HMAC-SHA256",
        "oauth_version": "1.0",
    }
    consumer_secret = "d26ad321a4b2f23b0741c8d38392ce01c3e23e109df6c96eac6d099e9ab9e8b5"
    token_secret = "c29a677df7d5439a458c063654187e3d678d73aca8e3c9d8bea1478a3eb0d295"
    url = "https://123456.suitetalk.api.netsuite.com/services/rest/record/v1/employee/40"

    base = base_string("GET", url, params.items())

    assert signature(base, consumer_secret, token_secret) == "B5OIWznZ2YP0OB7VrJrGkYsTh+8H+5T9Hag+o92q0zY="


@given(st.text())
def test_every_text_is_encoded_to_unreserved_characters(text: str) -> None:
    legal = set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~%")
    try:
        shown = encoded(text)
    except UnicodeEncodeError:  # a lone surrogate is no text on any wire
        return

    assert set(shown) <= legal


def test_a_request_signed_for_the_account_s_own_host_is_believed(account: Account) -> None:
    path = "/services/rest/record/v1/customer?limit=1&q=companyName%20CONTAIN%20%22Harbor%22"

    response = account.http.get(account.url + path, headers=signed(f"https://{HOST}{path}"))

    assert response.json()["count"] == 1


def test_a_request_mapped_to_loopback_by_the_transport_is_believed(account: Account) -> None:
    class Mapped(httpx.HTTPTransport):
        """What a test does that cannot change the client's URL: the connection goes elsewhere, the request stays as it is."""

        def handle_request(self, request: httpx.Request) -> httpx.Response:
            target = httpx.URL(account.url)
            request.url = request.url.copy_with(scheme=target.scheme, host=target.host, port=target.port)
            return super().handle_request(request)

    url = f"https://{HOST}/services/rest/record/v1/term/2"
    with httpx.Client(transport=Mapped(verify=NO_TLS)) as client:
        response = client.get(url, headers=signed(url))

    assert response.json()["links"][0]["href"] == f"http://{HOST}/services/rest/record/v1/term/2"


def test_every_oauth_parameter_is_part_of_what_is_signed(account: Account) -> None:
    url = f"{account.root}/record/v1/term/2"
    header = signed(url)["Authorization"]
    params = {
        "oauth_body_hash": "2jmj7l5rSw0yVb/vlWAYkK/YBwk=",
        "oauth_nonce": "withbodyhash",
        "oauth_timestamp": str(int(time.time())),
    }
    params |= {"oauth_consumer_key": CONSUMER_KEY, "oauth_token": TOKEN_ID, "oauth_signature_method": "HMAC-SHA256"}
    made = signature(base_string("GET", url, params.items()), CONSUMER_SECRET, TOKEN_SECRET)
    full = ", ".join(f'{name}="{encoded(value)}"' for name, value in {**params, "oauth_signature": made}.items())

    with_hash = account.http.get(url, headers={"Authorization": f'OAuth realm="{ACCOUNT}", {full}'})
    hash_added = account.http.get(url, headers={"Authorization": header + ', oauth_body_hash="2jmj7l5rSw0yVb"'})

    assert with_hash.status_code == 200
    assert 'error="signature_invalid"' in challenge(hash_added)


def test_a_request_sent_twice_is_refused_the_second_time(account: Account) -> None:
    url = f"{account.root}/record/v1/term/2"
    header = signed(url)

    first, second = account.http.get(url, headers=header), account.http.get(url, headers=header)

    assert first.status_code == 200
    assert challenge(second) == f'OAuth realm="{ACCOUNT}", error="nonce_used", error_description="Invalid login attempt."'


REFUSALS = [
    ({"client_secret": "wrong"}, "signature_invalid"),
    ({"client_key": "unknown"}, "consumer_key_unknown"),
    ({"resource_owner_key": "unknown"}, "token_rejected"),
    ({"realm": "OTHER"}, "token_rejected"),
    ({"timestamp": "1508242306"}, "timestamp_refused"),
]


@pytest.mark.parametrize(("changed", "problem"), REFUSALS, ids=[problem for _, problem in REFUSALS])
def test_a_refusal_names_the_problem(account: Account, changed: dict[str, str], problem: str) -> None:
    url = f"{account.root}/record/v1/term/2"

    response = account.http.get(url, headers=signed(url, **changed))

    assert f'error="{problem}"' in challenge(response)


TAMPERED = [
    ("GET", "/services/rest/record/v1/term/3"),
    ("DELETE", "/services/rest/record/v1/term/2"),
    ("GET", "/services/rest/record/v1/term/2?fields=name"),
]


@pytest.mark.parametrize(("method", "path"), TAMPERED)
def test_a_signature_is_good_for_its_own_request_only(account: Account, method: str, path: str) -> None:
    header = signed(f"{account.root}/record/v1/term/2")

    response = account.http.request(method, account.url + path, headers=header)

    assert 'error="signature_invalid"' in challenge(response)


def test_sha1_signatures_are_refused(account: Account) -> None:
    url = f"{account.root}/record/v1/term/2"
    signer = Signer(CONSUMER_KEY, CONSUMER_SECRET, TOKEN_ID, TOKEN_SECRET, realm=ACCOUNT)
    _, headers, _ = signer.sign(url)

    response = account.http.get(url, headers=dict(headers))

    assert 'error="signature_method_rejected"' in challenge(response)
