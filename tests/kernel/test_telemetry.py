"""No line carries what looks like a credential, by name or by shape, however deep."""

import pytest

from kernel.telemetry import REDACTED, redacted


@pytest.mark.parametrize(
    "name", ["client_secret", "Authorization", "password", "api_key", "access_token", "client_assertion", "Cookie"]
)
def test_what_is_named_like_a_credential_is_hidden(name):
    assert redacted({"outer": [{name: "harmless looking"}]}) == {"outer": [{name: REDACTED}]}


@pytest.mark.parametrize(
    "text",
    [
        "sk_test_4eC39HqLyjWDarjtT1zdp7dc",
        "Bearer abcdefghijklmnop",
        "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJhIn0.c2lnbmF0dXJl",
        "-----BEGIN EC PRIVATE KEY-----",
        "tvs_0123456789abcdef",
    ],
)
def test_what_is_shaped_like_a_credential_is_hidden(text):
    assert text not in redacted(f"calling with {text} now")


def test_ordinary_words_stay():
    assert redacted({"detail": "customer ACC-1001 created", "token_id": "abc"}) == {
        "detail": "customer ACC-1001 created",
        "token_id": "abc",
    }
