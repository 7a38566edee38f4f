"""Client credentials: only a fresh assertion, signed by a registered certificate with an accepted algorithm, gets a token."""

from datetime import timedelta
from typing import Any

import pytest
from joserfc.jwk import ECKey, RSAKey

from sandbox.netsuite.account import ACCOUNT
from sandbox.netsuite.oauth import TOKEN_PATH
from tests.sandbox.netsuite.driving import Account, Client

CURVES = {"ES256": "P-256", "ES384": "P-384", "ES512": "P-521"}


def key_for(algorithm: str) -> Any:
    return ECKey.generate_key(CURVES[algorithm]) if algorithm in CURVES else RSAKey.generate_key(2048)


@pytest.mark.parametrize("algorithm", ["ES256", "ES384", "ES512", "PS256", "PS384", "PS512"])
def test_a_token_is_granted_for_every_accepted_algorithm(account: Account, algorithm: str) -> None:
    key = key_for(algorithm)
    account.trust(f"{algorithm}-certificate", key)

    response = account.grant(account.assertion(algorithm, key, f"{algorithm}-certificate"))
    token = response.json()["access_token"]
    found = account.http.get(f"{account.root}/record/v1/term/2", headers={"Authorization": f"Bearer {token}"})

    assert response.json() == {"access_token": token, "expires_in": 3600, "token_type": "Bearer"}
    assert found.json()["name"] == "Net 30"


def test_rs256_is_refused(account: Account) -> None:
    key = RSAKey.generate_key(2048)
    account.trust("rsa-certificate", key)

    response = account.grant(account.assertion("RS256", key, "rsa-certificate"))

    assert response.status_code == 400
    assert response.json()["error"] == "invalid_grant"
    assert "RS256" in response.json()["error_description"]


def host_forms() -> list[str]:
    hosts = ("triv-sb1.suitetalk.api.netsuite.com", "triv-sb1.restlets.api.netsuite.com", "127.0.0.1:12112")
    return [f"https://{host}{TOKEN_PATH}" for host in hosts]


@pytest.mark.parametrize("audience", host_forms())
@pytest.mark.parametrize("scope", [["rest_webservices"], "rest_webservices", "restlets,rest_webservices"], ids=str)
def test_scope_and_audience_are_taken_in_every_form_that_oracle_shows(account: Account, scope: Any, audience: str) -> None:
    response = account.grant(account.assertion(scope=scope, aud=audience))

    assert response.status_code == 200


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"exp": 0}, "invalid_grant"),
    ({"exp": None}, "invalid_grant"),
    ({"iat": None}, "invalid_grant"),
    ({"iat": 99999999999, "exp": 99999999999}, "invalid_grant"),
    ({"aud": "https://elsewhere.example/token"}, "invalid_grant"),
    ({"aud": None}, "invalid_grant"),
    ({"scope": "everything"}, "invalid_scope"),
    ({"scope": None}, "invalid_scope"),
]


@pytest.mark.parametrize(("claims", "error"), WRONG, ids=str)
def test_wrong_claims_are_refused(account: Account, claims: dict[str, Any], error: str) -> None:
    response = account.grant(account.assertion(**claims))

    assert (response.status_code, response.json()["error"]) == (400, error)


def test_an_assertion_may_last_an_hour_and_no_longer(account: Account) -> None:
    now = int(account.clock().timestamp())

    hour = account.grant(account.assertion(iat=now, exp=now + 3600))
    longer = account.grant(account.assertion(iat=now, exp=now + 3601))

    assert hour.status_code == 200
    assert longer.json()["error"] == "invalid_grant"


def test_another_client_id_is_not_known(account: Account) -> None:
    response = account.grant(account.assertion(iss="stranger"))

    assert (response.status_code, response.json()["error"]) == (401, "invalid_client")


def test_a_key_that_was_not_registered_signs_nothing(account: Account) -> None:
    foreign = account.grant(account.assertion(key=ECKey.generate_key("P-256")))
    unknown = account.grant(account.assertion(kid="nobody"))
    garbled = account.grant("not.a.jwt")

    assert [one.json()["error"] for one in (foreign, unknown, garbled)] == ["invalid_grant"] * 3


def test_other_grants_and_missing_parameters_are_refused(account: Account) -> None:
    other = account.grant(account.assertion(), grant_type="password")
    missing = account.http.post(account.url + TOKEN_PATH, data={"grant_type": "client_credentials"})
    empty = account.http.post(account.url + TOKEN_PATH)

    assert [one.json()["error"] for one in (other, missing, empty)] == [
        "unsupported_grant_type",
        "invalid_request",
        "invalid_request",
    ]


def test_a_token_expires_after_an_hour(account: Account, client: Client) -> None:
    account.clock.ahead = timedelta(seconds=3590)
    before = client.get("term/2")
    account.clock.ahead = timedelta(seconds=3601)
    after = client.get("term/2")

    assert (before.status_code, after.status_code) == (200, 401)
    challenge = f'Bearer realm="{ACCOUNT}", error="invalid_token", error_description="Invalid login attempt."'
    assert after.headers["WWW-Authenticate"] == challenge


def test_no_and_malformed_credentials_have_their_own_forms(account: Account) -> None:
    url = f"{account.root}/record/v1/term/2"

    none = account.http.get(url)
    malformed = account.http.get(url, headers={"Authorization": "Bearer"})
    narrow = account.grant(account.assertion(scope="restlets")).json()["access_token"]
    other_scope = account.http.get(url, headers={"Authorization": f"Bearer {narrow}"})

    assert (none.status_code, none.json()["o:errorDetails"][0]["o:errorCode"]) == (401, "INVALID_LOGIN")
    assert (malformed.status_code, 'error="invalid_request"' in malformed.headers["WWW-Authenticate"]) == (400, True)
    assert other_scope.status_code == 401
