"""The refresh grant: every use replaces the token, and a token is good for its own client and key only.

Closed defaults of Authlib: the old token goes on working, an unknown user is `invalid_request`, tokens in the debug log.
"""

# mypy: allow-untyped-calls
# (Authlib has no annotations.)
from functools import partial

from authlib.oauth2.rfc6749 import InvalidGrantError
from authlib.oauth2.rfc6749.grants import RefreshTokenGrant

from gateway.oauth.authorizations import Authorization
from gateway.oauth.client_rules import METHODS, NONE
from gateway.oauth.clients import Client
from gateway.oauth.code_grant import bearer_of, granted, issued_with
from gateway.oauth.request import Answer, Request


class Refresh(RefreshTokenGrant):
    """Everything it needs was found before (`request.found`); what it changes is written after (`request.effect`)."""

    request: Request
    TOKEN_ENDPOINT_AUTH_METHODS = [*METHODS, NONE]
    INCLUDE_NEW_REFRESH_TOKEN = True

    def authenticate_refresh_token(self, refresh_token: str) -> Authorization | None:
        return self.request.found.authorization

    def create_token_response(self) -> Answer:
        request = self.request
        client: Client = request.client  # type: ignore[assignment]
        authorization: Authorization = request.refresh_token  # type: ignore[assignment]
        if authorization.confirmation is not None and authorization.confirmation != request.confirmation:
            raise InvalidGrantError("The refresh token is bound to another key.")
        bearer = bearer_of(request, authorization)
        scope = granted(client, request.found.user, authorization, request.form.get("scope"))
        token = self.generate_token(user=bearer, scope=scope)
        refresh = self.server.authorizations.new_refresh(authorization)
        issued = issued_with(self.server, bearer, refresh)
        request.effect = partial(self.server.authorizations.rotate, authorization, request.form["refresh_token"], issued)
        return 200, token | {"refresh_token": refresh}, self.TOKEN_RESPONSE_HEADER
