"""The token endpoint: both grants, sessions that end, and OAuth's own error form."""

import json
import time
from collections.abc import Callable

import pytest
from joserfc import jws
from joserfc.jwk import RSAKey
from simple_salesforce.exceptions import SalesforceAuthenticationFailed

from .conftest import CREDENTIALS, Sandbox, V

KEY = RSAKey.generate_key(2048, private=True)
BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"


def assertion(sandbox: Sandbox, key: RSAKey = KEY, **changed: object) -> dict[str, str]:
    claims = {
        "iss": "sandbox-salesforce",
        "sub": "integration@lumenworks.example",
        "aud": sandbox.base_url,
        "exp": int(time.time()) + 120,
    }
    signed = jws.serialize_compact({"alg": "RS256"}, json.dumps(claims | changed).encode(), key)
    return {"grant_type": BEARER, "assertion": signed}


def trust(sandbox: Sandbox) -> None:
    pem = KEY.as_pem(private=False).decode()
    sandbox.http.post("/__sandbox__/certificates", json={"kid": "k1", "public_key": pem}).raise_for_status()


def test_client_credentials_in_the_body_open_a_session(sandbox: Sandbox) -> None:
    token = sandbox.http.post("/services/oauth2/token", data={"grant_type": "client_credentials", **CREDENTIALS}).json()

    assert token["instance_url"] == sandbox.base_url
    assert token["token_type"] == "Bearer"
    assert isinstance(token["issued_at"], str)
    assert "expires_in" not in token
    assert sandbox.http.get(f"{V}/limits", headers={"Authorization": f"Bearer {token['access_token']}"}).status_code == 200


def test_client_credentials_may_come_as_basic(sandbox: Sandbox) -> None:
    answer = sandbox.http.post(
        "/services/oauth2/token", data={"grant_type": "client_credentials"}, auth=tuple(CREDENTIALS.values())
    )

    assert answer.status_code == 200


@pytest.mark.parametrize(
    ("form", "error", "description"),
    [
        (
            {"grant_type": "client_credentials"} | CREDENTIALS | {"client_id": "x"},
            "invalid_client_id",
            "client identifier invalid",
        ),
        (
            {"grant_type": "client_credentials"} | CREDENTIALS | {"client_secret": "x"},
            "invalid_client",
            "invalid client credentials",
        ),
        ({"grant_type": "password"}, "unsupported_grant_type", "grant type not supported"),
        ({}, "unsupported_grant_type", "grant type not supported"),
    ],
)
def test_a_refused_token_is_an_oauth_object(sandbox: Sandbox, form: dict[str, str], error: str, description: str) -> None:
    answer = sandbox.http.post("/services/oauth2/token", data=form)

    assert answer.status_code == 400
    assert answer.json() == {"error": error, "error_description": description}


@pytest.mark.parametrize("written", [int, float, lambda moment: str(int(moment))], ids=["integer", "float", "text"])
def test_a_signed_assertion_opens_a_session_whatever_way_its_expiry_is_written(
    sandbox: Sandbox, written: Callable[[float], object]
) -> None:
    trust(sandbox)
    exp = written(int(time.time()) + 120)

    token = sandbox.http.post("/services/oauth2/token", data=assertion(sandbox, exp=exp)).json()

    assert token["instance_url"] == sandbox.base_url
    assert "issued_at" not in token


@pytest.mark.parametrize(
    "changed",
    [
        {"aud": "https://elsewhere.example"},
        {"exp": int(time.time()) - 60},
        {"exp": int(time.time()) + 900},
        {"exp": "soon"},
        {"iss": "someone-else"},
        {"sub": ""},
    ],
)
def test_an_assertion_that_claims_wrongly_is_refused(sandbox: Sandbox, changed: dict[str, object]) -> None:
    trust(sandbox)

    answer = sandbox.http.post("/services/oauth2/token", data=assertion(sandbox, **changed))

    assert answer.status_code == 400
    assert set(answer.json()) == {"error", "error_description"}


def test_an_assertion_under_a_key_nobody_registered_is_refused(sandbox: Sandbox) -> None:
    trust(sandbox)
    stranger = RSAKey.generate_key(2048, private=True)

    answer = sandbox.http.post("/services/oauth2/token", data=assertion(sandbox, stranger))

    assert answer.json() == {"error": "invalid_grant", "error_description": "invalid assertion"}


def test_a_call_without_a_session_is_401_in_an_array(sandbox: Sandbox) -> None:
    for headers in ({}, {"Authorization": "Bearer made-up"}, {"Authorization": "Basic eDp5"}):
        answer = sandbox.http.get(f"{V}/limits", headers=headers)

        assert answer.status_code == 401
        assert answer.json() == [{"message": "Session expired or invalid", "errorCode": "INVALID_SESSION_ID"}]


def test_a_revoked_session_is_over(sandbox: Sandbox) -> None:
    token = sandbox.token()
    revoked = sandbox.http.post("/services/oauth2/revoke", data={"token": token})

    assert revoked.status_code == 200
    assert sandbox.http.get(f"{V}/limits", headers={"Authorization": f"Bearer {token}"}).status_code == 401
    assert sandbox.http.post("/services/oauth2/revoke", data={"token": token}).json()["error"] == "invalid_token"


def test_a_session_ends_two_hours_after_its_last_use(sandbox: Sandbox) -> None:
    sandbox.clock.advance(minutes=119)
    assert sandbox.api.get(f"{V}/limits").status_code == 200
    sandbox.clock.advance(minutes=119)
    assert sandbox.api.get(f"{V}/limits").status_code == 200
    sandbox.clock.advance(minutes=121)

    assert sandbox.api.get(f"{V}/limits").json()[0]["errorCode"] == "INVALID_SESSION_ID"


def test_simple_salesforce_logs_in_with_client_credentials(sandbox: Sandbox) -> None:
    client = sandbox.simple_salesforce()

    assert client.limits()["DailyApiRequests"]["Max"] > 0
    assert client.api_usage["api-usage"].used == 1


def test_simple_salesforce_logs_in_with_an_assertion(sandbox: Sandbox) -> None:
    trust(sandbox)
    private = KEY.as_pem(private=True).decode()

    client = sandbox.simple_salesforce(
        username="integration@lumenworks.example", consumer_key="sandbox-salesforce", privatekey=private
    )

    assert client.is_sandbox() is True


def test_simple_salesforce_sees_why_a_login_failed(sandbox: Sandbox) -> None:
    with pytest.raises(SalesforceAuthenticationFailed, match="invalid client credentials"):
        sandbox.simple_salesforce(domain="lumenworks.my", consumer_key="sandbox-salesforce", consumer_secret="wrong")


def test_simple_salesforce_logs_in_again_when_its_session_was_revoked(sandbox: Sandbox) -> None:
    client = sandbox.simple_salesforce()
    sandbox.http.post("/services/oauth2/revoke", data={"token": client.session_id})

    found = client.query("SELECT Id FROM Account LIMIT 1")

    assert found["totalSize"] == 1
