"""What Authlib and joserfc do by themselves, and why this package does it differently; a fact that changes fails here."""

import inspect
import json
from typing import Any

import pytest
from authlib.oauth2.rfc6749 import AuthorizationServer, InvalidClientError, OAuth2Request, grants
from authlib.oauth2.rfc6749.authenticate_client import ClientAuthentication
from authlib.oauth2.rfc6749.errors import InsecureTransportError
from authlib.oauth2.rfc6749.requests import BasicOAuth2Payload
from authlib.oauth2.rfc6749.util import extract_basic_authorization
from authlib.oauth2.rfc6750 import BearerTokenGenerator
from authlib.oauth2.rfc7591 import ClientMetadataClaims
from authlib.oauth2.rfc7636 import CodeChallenge
from authlib.oauth2.rfc9068 import JWTBearerTokenGenerator, JWTBearerTokenValidator
from authlib.oauth2.rfc9207 import IssuerParameter
from joserfc import jws, jwt
from joserfc.errors import InvalidClaimError
from joserfc.jwk import ECKey, KeySet
from joserfc.registry import JWS_HEADER_REGISTRY

from gateway.oauth.access_token import LIFETIME, AccessTokens
from gateway.oauth.clients import Client
from gateway.oauth.code_grant import ProofKey
from gateway.oauth.jws import Malformed, parse
from gateway.oauth.refresh_grant import Refresh

KEY = ECKey.generate_key("P-256")
HEADER = {"alg": "ES256", "typ": "at+jwt"}


class AnyClient:
    def get_client_id(self) -> str:
        return "tvc_desk"

    def get_allowed_scope(self, scope: str) -> str:
        return ""  # what the documented example answers when no scope is allowed


def test_a_client_credentials_token_would_live_ten_days(server) -> None:
    theirs = BearerTokenGenerator(None)._get_expires_in(None, "client_credentials")

    assert theirs == 864_000
    assert server.tokens._get_expires_in(None, "client_credentials") == LIFETIME == 600


def test_an_empty_scope_would_still_get_a_token() -> None:
    token = BearerTokenGenerator(lambda **_: "a token").generate("client_credentials", AnyClient(), scope="orders:write")

    assert token["access_token"] == "a token"
    assert "scope" not in token


def test_the_audience_would_be_the_client_and_the_key_unnamed() -> None:
    class Theirs(JWTBearerTokenGenerator):
        def get_jwks(self) -> ECKey:
            return KEY

    made = Theirs("https://i.test", alg="ES256").access_token_generator(AnyClient(), "client_credentials", None, "a:b")
    token = jwt.decode(made, KEY)

    assert token.claims["aud"] == "tvc_desk"
    assert "kid" not in token.header
    assert issubclass(AccessTokens, BearerTokenGenerator)
    assert not issubclass(AccessTokens, JWTBearerTokenGenerator)


def test_the_validator_would_accept_a_token_without_a_kind() -> None:
    class Theirs(JWTBearerTokenValidator):
        def get_jwks(self) -> ECKey:
            return KEY

    claims = {"iss": "i", "aud": "a", "sub": "s", "client_id": "c", "exp": 4e9, "iat": 1, "jti": "j", "scope": "a:b"}
    validator = Theirs(issuer="i", resource_server="a")
    token = validator.authenticate_token(jws.serialize_compact({"alg": "ES256"}, json.dumps(claims), KEY))
    validator.validate_token(token, ["a:b"], None)

    assert token["client_id"] == "c"


def test_members_named_twice_would_pass_and_the_last_would_win() -> None:
    token = jws.serialize_compact(HEADER, '{"scope": "a:b", "scope": "admin:all"}', KEY)

    assert jwt.decode(token, KEY).claims["scope"] == "admin:all"
    with pytest.raises(Malformed, match="twice"):
        parse(token.encode())


def test_deep_json_would_end_in_a_recursion_error_before_the_signature_is_checked() -> None:
    deep = jws.serialize_compact(HEADER, '{"a":' + "[" * 5000 + "]" * 5000 + "}", KEY)

    with pytest.raises(RecursionError):
        jwt.decode(deep, KEY)
    with pytest.raises(Malformed):
        parse(deep.encode())


def test_headers_that_bring_their_own_keys_would_be_read() -> None:
    assert {"jku", "jwk", "x5u", "x5c", "crit"} <= set(JWS_HEADER_REGISTRY)
    token = jws.serialize_compact(HEADER | {"jku": "https://evil.test"}, "{}", KEY)

    assert jws.deserialize_compact(token, KEY).payload == b"{}"
    with pytest.raises(Malformed, match="not accepted"):
        parse(token.encode())


def test_one_malformed_key_would_break_the_whole_set() -> None:
    broken: Any = {"keys": [KEY.as_dict(private=False), {"kty": "EC", "crv": "P-256"}]}

    with pytest.raises(Exception, match=r"."):
        KeySet.import_key_set(broken)


def test_plain_http_behind_a_tls_terminator_would_be_refused() -> None:
    with pytest.raises(InsecureTransportError):
        OAuth2Request("POST", "http://gateway.internal/oauth/token")


@pytest.mark.parametrize(("header", "crash"), [("Basic ", ValueError), ("Basic /////w==", UnicodeDecodeError)])
def test_an_unreadable_basic_header_would_crash(header, crash) -> None:
    with pytest.raises(crash):
        extract_basic_authorization({"Authorization": header})


def test_an_unknown_client_would_be_told_apart_from_a_wrong_secret() -> None:
    def authenticate(known: bool) -> str:
        class Client:
            def check_client_secret(self, secret: str) -> bool:
                return False

        check = ClientAuthentication(lambda _: Client() if known else None)
        request = OAuth2Request("POST", "https://i.test", headers={"Authorization": "Basic YTpi"})
        with pytest.raises(InvalidClientError) as refusal:
            check(request, ["client_secret_basic"])
        return str(refusal.value.description)

    assert authenticate(known=True) != authenticate(known=False)


class Portal:
    """As Authlib's documentation has a client."""

    def __init__(self, uri: str = "https://p.test/back") -> None:
        self.uri = uri

    def check_redirect_uri(self, uri: str) -> bool:
        return uri == self.uri

    def get_default_redirect_uri(self) -> str:
        return self.uri

    def check_response_type(self, kind: str) -> bool:
        return True

    def get_allowed_scope(self, scope: str | None) -> str:
        return scope or ""


class Theirs(AuthorizationServer):
    def query_client(self, client_id: str) -> Portal:
        return Portal()

    def create_oauth2_request(self, request: OAuth2Request) -> OAuth2Request:
        return request


def question(**said: str) -> OAuth2Request:
    request = OAuth2Request("GET", "https://i.test/authorize")
    request.payload = BasicOAuth2Payload({"response_type": "code", "client_id": "c", **said})
    return request


CHALLENGE = {"code_challenge": "a" * 43}


@pytest.mark.parametrize("said", [{}, CHALLENGE, CHALLENGE | {"code_challenge_method": "plain"}])
def test_a_code_would_be_given_without_pkce_or_with_plain(said) -> None:
    server = Theirs()
    server.register_grant(grants.AuthorizationCodeGrant, [CodeChallenge(required=True)])

    assert server.get_consent_grant(question(**said)) is not None
    assert ProofKey.SUPPORTED_CODE_CHALLENGE_METHOD == ["S256"]


def test_a_redirect_uri_that_was_not_said_would_be_filled_in() -> None:
    server = Theirs()
    server.register_grant(grants.AuthorizationCodeGrant)
    grant = server.get_consent_grant(question())

    assert grant.redirect_uri == "https://p.test/back"
    assert Client("c", "c", (), "default", None, True, 0).get_default_redirect_uri() is None


@pytest.mark.parametrize("said", [{"redirect_uri": 'https://p.test/"'}, {"response_type": 'co"de'}])
def test_a_quote_in_a_parameter_would_crash(said) -> None:
    server = Theirs()
    server.register_grant(grants.AuthorizationCodeGrant)

    with pytest.raises(ValueError, match="forbidden characters"):
        server.get_consent_grant(question(**said))


def test_a_refresh_token_would_go_on_working_after_its_use() -> None:
    assert grants.RefreshTokenGrant.INCLUDE_NEW_REFRESH_TOKEN is False
    assert Refresh.INCLUDE_NEW_REFRESH_TOKEN is True


@pytest.mark.parametrize("theirs", [grants.AuthorizationCodeGrant, grants.RefreshTokenGrant, grants.ClientCredentialsGrant])
def test_tokens_would_be_written_into_the_debug_log(theirs) -> None:
    assert "Issue token %r" in inspect.getsource(theirs)


def test_metadata_of_a_client_would_be_taken_in_any_type() -> None:
    claims = ClientMetadataClaims({"redirect_uris": "https://p.test/", "client_name": {"a": 1}, "grant_types": "x"}, {})

    with pytest.raises(InvalidClaimError):  # it reads a text as a list of one-letter addresses
        claims.validate()
    ClientMetadataClaims({"client_name": {"a": 1}, "grant_types": {"b": 2}, "scope": 7}, {}).validate()


def test_the_issuer_would_not_be_named_in_a_redirect() -> None:
    assert IssuerParameter().get_issuer() is None
