"""Authlib decides, we fetch: whatever needs the database is looked up before Authlib runs and written after it has answered.

Authlib's server side is synchronous and has no Starlette adapter; this is ours, with its lax defaults closed:
a client is proved by us alone (Authlib tells an unknown client from a wrong secret), one way at a time; a token of another
client is inactive or refused; JWTs can be revoked; unknown hints are ignored (RFC 7009 section 2.1); a redirect names the issuer.
"""

# mypy: allow-untyped-calls
# (Authlib has no annotations.)
from collections.abc import Mapping, Sequence
from copy import copy
from typing import Any

from authlib.common.urls import add_params_to_uri
from authlib.oauth2.rfc6749 import AuthorizationServer, InvalidGrantError, InvalidRequestError
from authlib.oauth2.rfc6749.grants import ClientCredentialsGrant
from authlib.oauth2.rfc7009 import RevocationEndpoint
from authlib.oauth2.rfc7662 import IntrospectionEndpoint
from starlette.responses import JSONResponse, RedirectResponse, Response

from gateway.oauth.access_token import AccessTokens, Names
from gateway.oauth.authorizations import Authorization, AuthorizationStore
from gateway.oauth.client_rules import METHODS, NONE
from gateway.oauth.clients import Client
from gateway.oauth.code_grant import CodeGrant, ProofKey
from gateway.oauth.exchange import Exchange
from gateway.oauth.refresh_grant import Refresh
from gateway.oauth.request import ProvedClient, Request, UnprovedClient, own
from gateway.oauth.verifier import Proof

__all__ = ["METHODS", "Protocol", "ProvedClient", "Request", "UnprovedClient"]


class Protocol(AuthorizationServer):
    """The grants and endpoints we offer; a new grant is registered here."""

    def __init__(self, tokens: AccessTokens, authorizations: AuthorizationStore, names: Names) -> None:
        super().__init__()
        self.authorizations, self.audiences, self._issuer = authorizations, names.audiences, names.issuer
        self._named: Client | None = None
        self.register_token_generator("default", tokens)
        self.register_grant(_ClientCredentials)
        self.register_grant(CodeGrant, [ProofKey(required=True)])
        self.register_grant(Refresh)
        self.register_grant(Exchange)
        self.register_endpoint(_Introspection)
        self.register_endpoint(_Revocation)

    def knowing(self, client: Client | None) -> "Protocol":
        """The same, for one request at the authorization endpoint that named this client."""
        known = copy(self)
        known._named = client
        return known

    def query_client(self, client_id: str) -> Client | None:
        return self._named if self._named is not None and self._named.id == client_id else None

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
        told = dict(headers)
        if "Location" in told:  # RFC 9207 section 2; 303, so that no browser posts a password on (RFC 9700 section 4.12)
            return RedirectResponse(add_params_to_uri(told["Location"], {"iss": self._issuer}), 303)
        return JSONResponse(body, status, told)


class _ClientCredentials(ClientCredentialsGrant):
    request: Request
    TOKEN_ENDPOINT_AUTH_METHODS = [*METHODS]

    def create_token_response(self) -> tuple[int, dict[str, Any], list[tuple[str, str]]]:
        """RFC 6749 section 4.4.3. Authlib's own would write the token into the debug log."""
        token = self.generate_token(user=own(self.request), scope=self.request.form.get("scope"), include_refresh_token=False)
        return 200, token, self.TOKEN_RESPONSE_HEADER


class _Introspection(IntrospectionEndpoint):
    CLIENT_AUTH_METHODS = [*METHODS]

    def authenticate_token(self, request: Request, client: Client) -> Proof | Authorization | None:
        return _held(request, client)

    def create_introspection_payload(self, token: Proof | Authorization | None) -> dict[str, Any]:
        """RFC 7662 section 2.2; a token that is not good, or not the asking client's, is inactive and nothing more."""
        match token:
            case None:
                return {"active": False}
            case Authorization():
                told = {"scope": token.get_scope(), "client_id": token.client_id, "sub": token.user_id, "exp": token.ends_at}
                bound = {} if token.confirmation is None else {"cnf": dict(token.confirmation)}
                return {"active": True, "token_type": "refresh_token", **told, **bound}
        kind = "DPoP" if "jkt" in token.claims.get("cnf", {}) else "Bearer"
        return {**token.claims, "active": True, "token_type": kind}


class _Revocation(RevocationEndpoint):
    CLIENT_AUTH_METHODS = [*METHODS, NONE]

    def authenticate_token(self, request: Request, client: Client) -> Proof | Authorization | None:
        found, mine = request.found.token or request.found.authorization, _held(request, client)
        if found is not None and mine is None:
            raise InvalidGrantError("The token belongs to another client.")
        return mine

    def revoke_token(self, token: Proof | Authorization, request: Request) -> None:
        request.called_back = token


def _held(request: Request, client: Client) -> Proof | Authorization | None:
    """The token that was asked about, access or refresh, where it is this client's."""
    if "token" not in request.form:
        raise InvalidRequestError("The parameter 'token' is missing.")
    proof, authorization = request.found.token, request.found.authorization
    if proof is not None:
        return proof if proof.caller.client == client.id and not proof.caller.issuer else None
    return authorization if authorization is not None and authorization.client_id == client.id else None
