"""The authorization code grant: PKCE with S256 always, a code that is good once, and a token for the user who consented.

Closed defaults of Authlib: PKCE optional, `plain` accepted and assumed, an unset redirect URI filled in, tokens in the debug log.
"""

# mypy: allow-untyped-calls
# (Authlib has no annotations.)
import hmac
import re
from functools import partial
from typing import Any

from authlib.oauth2.rfc6749 import InvalidGrantError, InvalidRequestError, InvalidScopeError
from authlib.oauth2.rfc6749.grants import AuthorizationCodeGrant
from authlib.oauth2.rfc7636 import CodeChallenge, create_s256_code_challenge

from gateway.oauth.access_token import LIFETIME, Bearer, new_token_id
from gateway.oauth.authorizations import Authorization, Issued
from gateway.oauth.client_rules import METHODS, NONE, REFRESH
from gateway.oauth.clients import Client
from gateway.oauth.request import Answer, Request, narrowed
from gateway.oauth.users import User

_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}", re.ASCII)  # base64url of 32 bytes
_VERIFIER = re.compile(r"[A-Za-z0-9._~-]{43,128}", re.ASCII)


def _equal(verifier: str, challenge: str) -> bool:
    return hmac.compare_digest(create_s256_code_challenge(verifier).encode(), challenge.encode())


class ProofKey(CodeChallenge):
    """RFC 7636 with S256, for every client (RFC 9700 section 2.1.1)."""

    SUPPORTED_CODE_CHALLENGE_METHOD = ["S256"]
    CODE_CHALLENGE_METHODS = {"S256": _equal}

    def validate_code_challenge(self, grant: Any, redirect_uri: str) -> None:
        asked = grant.request.payload.data
        if asked.get("code_challenge_method") != "S256":
            raise InvalidRequestError("The parameter 'code_challenge_method' must be S256.")
        if not _CHALLENGE.fullmatch(asked.get("code_challenge", "")):
            raise InvalidRequestError("The parameter 'code_challenge' must be the base64url of a SHA-256.")

    def validate_code_verifier(self, grant: Any, result: Any) -> None:
        if not _VERIFIER.fullmatch(grant.request.form.get("code_verifier", "")):
            raise InvalidRequestError("The parameter 'code_verifier' is missing or malformed.")
        super().validate_code_verifier(grant, result)


class CodeGrant(AuthorizationCodeGrant):
    """Everything it needs was found before (`request.found`); what it changes is written after (`request.effect`)."""

    request: Request
    TOKEN_ENDPOINT_AUTH_METHODS = [*METHODS, NONE]

    def generate_authorization_code(self) -> str:
        """The code that was recorded with the consent, before."""
        return self.request.code

    def save_authorization_code(self, code: str, request: Request) -> None:
        """Done: see `generate_authorization_code`."""

    def query_authorization_code(self, code: str, client: Client) -> Authorization | None:
        found = self.request.found.authorization
        return found if found is not None and found.check_client(client) else None

    def create_token_response(self) -> Answer:
        """RFC 6749 section 4.1.4. Authlib's own would write the tokens into the debug log."""
        request = self.request
        client: Client = request.client  # type: ignore[assignment]
        authorization: Authorization = request.authorization_code  # type: ignore[assignment]
        with_refresh = client.check_grant_type(REFRESH)
        refresh = self.server.authorizations.new_refresh(authorization) if with_refresh else None
        bearer = bearer_of(request, authorization)
        scope = granted(client, request.found.user, authorization)
        token = self.generate_token(user=bearer, scope=scope)
        binding = request.confirmation if request.auth_method == NONE else None
        issued = issued_with(self.server, bearer, refresh)
        request.effect = partial(self.server.authorizations.redeem, authorization, issued, binding)
        return 200, token | ({} if refresh is None else {"refresh_token": refresh}), self.TOKEN_RESPONSE_HEADER


def bearer_of(request: Request, authorization: Authorization) -> Bearer:
    """The user, seen through this client. Raises InvalidGrantError where the user has been closed since."""
    user, client = request.found.user, authorization_client(request)
    if user is None:
        raise InvalidGrantError("The user may no longer grant this.")
    partner = client.details.partner or user.partner
    return Bearer(
        subject=user.id, plan=client.plan, accounts=narrowed(client.accounts, user.accounts), partner=partner,
        confirmation=request.confirmation, authenticated_at=authorization.signed_in_at, token_id=new_token_id(),
    )  # fmt: skip


def authorization_client(request: Request) -> Client:
    client: Client = request.client  # type: ignore[assignment]
    return client


def granted(client: Client, user: User | None, authorization: Authorization, asked: str | None = None) -> str:
    """What was consented to, as far as client and user still have it. Raises InvalidScopeError where nothing is left, or where
    something is asked for that is not there.
    """
    still = set(client.scopes) & set(user.scopes if user else ())
    left = [scope for scope in authorization.scopes if scope in still]
    wanted = left if asked is None else asked.split(" ")
    if not wanted or not set(wanted) <= set(left):
        raise InvalidScopeError()
    return " ".join(dict.fromkeys(wanted))


def issued_with(server: Any, bearer: Bearer, refresh: str | None) -> Issued:
    return Issued(bearer.token_id, server.authorizations.now() + LIFETIME, refresh)
