"""Where the documents stand, and which public URL may name an issuer."""

import pytest

from gateway.oauth.metadata import RESOURCE, BadIssuer, issuer, well_known


@pytest.mark.parametrize(
    "url", ["https://api.acme.test", "https://api.acme.test/", "http://127.0.0.1:8080", "http://localhost:8080"]
)
def test_https_and_this_machine_may_issue(url: str) -> None:
    assert issuer(url) == url.rstrip("/")


@pytest.mark.parametrize(
    "url", ["http://api.acme.test", "http://0.0.0.0:8080", "https://a.test?x=1", "https://a.test#f", "ftp://a.test", ""]
)
def test_an_address_that_tokens_could_be_stolen_from_stops_the_start_and_says_what_to_set(url: str) -> None:
    with pytest.raises(BadIssuer, match=r"server\.public_url"):
        issuer(url)


def test_the_document_of_a_url_with_a_path_stands_before_that_path() -> None:
    assert well_known("https://a.test/trivium", RESOURCE) == "https://a.test/.well-known/oauth-protected-resource/trivium"
