"""Authlib decides, we fetch: whatever needs the database is looked up before Authlib runs and written after it has answered.

Authlib's server side is synchronous and has no Starlette adapter; this is ours, with its lax defaults closed:
a client is proved by us alone (Authlib tells an unknown client from a wrong secret), one way at a time; a token of another
client is inactive or refused; JWTs can be revoked; unknown hints are ignored (RFC 7009 section 2.1).
"""

# mypy: allow-untyped-calls
# (Authlib has no annotations.)
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from authlib.consts import default_json_headers
from authlib.oauth2.rfc6749 import AuthorizationServer, InvalidClientError, InvalidGrantError, InvalidRequestError, OAuth2Request
from authlib.oauth2.rfc6749.grants import ClientCredentialsGrant
from authlib.oauth2.rfc6749.requests import BasicOAuth2Payload
from authlib.oauth2.rfc7009 import RevocationEndpoint
from authlib.oauth2.rfc7662 import IntrospectionEndpoint
from starlette.responses import JSONResponse, Response

from gateway.oauth.access_token import AccessTokens
from gateway.oauth.clients import Client
from gateway.oauth.verifier import Proof

BASIC, POST = "client_secret_basic", "client_secret_post"
METHODS = [BASIC, POST]


@dataclass(frozen=True, slots=True)
class ProvedClient:
    client: Client
    method: str


class Request(OAuth2Request):
    """A form that was posted to us, with what was found out about it beforehand.

    `uri` is the endpoint's public address: the one on the wire is plain http behind a TLS terminator, which Authlib refuses.
    """

    def __init__(self, uri: str, form: Mapping[str, str], proved: ProvedClient | None, token: Proof | None = None) -> None:
        super().__init__("POST", uri)
        self.payload = BasicOAuth2Payload(form)  # type: ignore[assignment]  # declared by its first value, None
        self.proved, self.token, self._form = proved, token, form
        self.called_back: Proof | None = None  # what the answer promises to have revoked

    @property
    def form(self) -> Mapping[str, str]:
        return self._form


class UnprovedClient(InvalidClientError):
    """One answer for an unknown client, a closed one, a wrong secret and none; RFC 7617 demands the realm."""

    status_code = 401
    description = "The client could not be authenticated."

    def get_headers(self) -> list[tuple[str, str]]:
        return [*default_json_headers, ("WWW-Authenticate", 'Basic realm="trivium", charset="UTF-8"')]


class Protocol(AuthorizationServer):
    """The grants and endpoints we offer; a new grant is registered here."""

    def __init__(self, tokens: AccessTokens) -> None:
        super().__init__()
        self.register_token_generator("default", tokens)
        self.register_grant(_ClientCredentials)
        self.register_endpoint(_Introspection)
        self.register_endpoint(_Revocation)

    def authenticate_client(self, request: Request, methods: Sequence[str], endpoint: str = "token") -> Client:
        if request.proved is None or request.proved.method not in methods:
            raise UnprovedClient()
        request.auth_method = request.proved.method  # type: ignore[assignment]
        return request.proved.client

    def create_oauth2_request(self, request: Request) -> Request:
        return request

    def save_token(self, token: Mapping[str, Any], request: Request) -> None:
        """Nothing: the token says everything itself."""

    def send_signal(self, name: str, *args: Any, **kwargs: Any) -> None:
        """Nothing listens."""

    def handle_response(self, status: int, body: Mapping[str, Any], headers: Sequence[tuple[str, str]]) -> Response:
        return JSONResponse(body, status, dict(headers))


class _ClientCredentials(ClientCredentialsGrant):
    TOKEN_ENDPOINT_AUTH_METHODS = METHODS

    def create_token_response(self) -> tuple[int, dict[str, Any], list[tuple[str, str]]]:
        """RFC 6749 section 4.4.3. Authlib's own would write the token into the debug log."""
        token = self.generate_token(scope=self.request.form.get("scope"), include_refresh_token=False)
        return 200, token, self.TOKEN_RESPONSE_HEADER


class _Introspection(IntrospectionEndpoint):
    CLIENT_AUTH_METHODS = METHODS

    def authenticate_token(self, request: Request, client: Client) -> Proof | None:
        _require_token(request)
        return request.token if request.token and request.token.caller.client == client.id else None

    def create_introspection_payload(self, token: Proof | None) -> dict[str, Any]:
        """RFC 7662 section 2.2; a token that is not good, or not the asking client's, is inactive and nothing more."""
        return {"active": False} if token is None else {**token.claims, "active": True, "token_type": "Bearer"}


class _Revocation(RevocationEndpoint):
    CLIENT_AUTH_METHODS = METHODS

    def authenticate_token(self, request: Request, client: Client) -> Proof | None:
        _require_token(request)
        if request.token and request.token.caller.client != client.id:
            raise InvalidGrantError("The token belongs to another client.")
        return request.token

    def revoke_token(self, token: Proof, request: Request) -> None:
        request.called_back = token


def _require_token(request: Request) -> None:
    if "token" not in request.form:
        raise InvalidRequestError("The parameter 'token' is missing.")
