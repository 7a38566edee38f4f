"""Token exchange (RFC 8693): a client acts for whoever gave it a token, with less than both of them may, for no longer than it.

Authlib has no such grant. The token that comes back belongs to the acting client, speaks for the first one's subject, and names
the acting client in `act`. What it was exchanged for takes it along when it is called back.
"""

# mypy: allow-untyped-calls
# (Authlib has no annotations.)
from collections.abc import Mapping
from functools import partial
from typing import Any

from authlib.oauth2.base import OAuth2Error
from authlib.oauth2.rfc6749 import InvalidGrantError, InvalidRequestError, InvalidScopeError, UnauthorizedClientError
from authlib.oauth2.rfc6749.grants import BaseGrant, TokenEndpointMixin

from gateway.oauth.access_token import LIFETIME, Bearer, new_token_id
from gateway.oauth.claims import Proof
from gateway.oauth.client_rules import EXCHANGE, METHODS
from gateway.oauth.clients import Client
from gateway.oauth.request import Answer, Request, narrowed

ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token"  # noqa: S105 - a name
_DEEPEST = 4  # clients acting for one another


class InvalidTarget(OAuth2Error):
    """RFC 8693 section 2.2.2."""

    error = "invalid_target"
    description = "The audience is none of this API."


class Exchange(BaseGrant, TokenEndpointMixin):
    """The subject's token was proved before (`request.found.token`)."""

    request: Request
    GRANT_TYPE = EXCHANGE  # type: ignore[assignment]  # declared by its first value, None
    TOKEN_ENDPOINT_AUTH_METHODS = [*METHODS]

    def validate_token_request(self) -> None:
        """RFC 8693 section 2.1."""
        self.request.client = client = self.authenticate_token_endpoint_client()
        if not client.check_grant_type(EXCHANGE):
            raise UnauthorizedClientError("The client may not exchange tokens.")
        form = self.request.form
        if "subject_token" not in form or form.get("subject_token_type") != ACCESS_TOKEN:
            raise InvalidRequestError(f"The parameter 'subject_token' must be there, of the type {ACCESS_TOKEN}.")
        if form.get("requested_token_type", ACCESS_TOKEN) != ACCESS_TOKEN:
            raise InvalidRequestError(f"The parameter 'requested_token_type' may be {ACCESS_TOKEN} only.")
        if "actor_token" in form or "actor_token_type" in form:
            raise InvalidRequestError("The acting party is the client itself; an actor token is not taken.")
        _check_subject(self.request.found.token, client)

    def create_token_response(self) -> Answer:
        """RFC 8693 section 2.2.1."""
        request = self.request
        client, subject = request.proved.client, request.found.token  # type: ignore[union-attr]
        if subject is None:
            raise InvalidGrantError("The subject token is not good.")
        bearer = _bearer(self.server, request, client, subject)
        scope = _scope(client, subject, request.form.get("scope"))
        token = self.generate_token(user=bearer, scope=scope)
        ends = self.server.authorizations.now() + bearer.lifetime
        request.effect = partial(self.server.authorizations.exchanged, subject.caller, bearer.token_id, ends)
        return 200, token | {"issued_token_type": ACCESS_TOKEN}, self.TOKEN_RESPONSE_HEADER


def _check_subject(subject: Proof | None, client: Client) -> None:
    if subject is None or subject.caller.issuer:
        raise InvalidGrantError("The subject token is not a good one of this issuer.")
    if subject.caller.confirmation:
        raise InvalidGrantError("The subject token is bound to a key that only its holder can prove.")
    partner = client.details.partner
    if partner is not None and subject.caller.partner not in ("", partner):
        raise InvalidGrantError("The subject token is of another partner.")


def _bearer(server: Any, request: Request, client: Client, subject: Proof) -> Bearer:
    caller = subject.caller
    accounts = narrowed(narrowed(client.accounts, caller.accounts), _asked_accounts(request, client, subject))
    return Bearer(
        subject=caller.subject, plan=client.plan, accounts=accounts, partner=client.details.partner or caller.partner or None,
        actor=actor(client.id, subject.claims.get("act")), confirmation=request.confirmation,
        audiences=_audiences(server.audiences, request.form),
        lifetime=min(LIFETIME, caller.expires_at - server.authorizations.now()), token_id=new_token_id(),
    )  # fmt: skip


def _asked_accounts(request: Request, client: Client, subject: Proof) -> frozenset[str] | None:
    """Our own parameter `accounts`, separated by spaces: which of the accounts that both may see."""
    if "accounts" not in request.form:
        return None
    asked, most = frozenset(request.form["accounts"].split()), narrowed(client.accounts, subject.caller.accounts)
    if not asked or (most is not None and not asked <= most):
        raise InvalidGrantError("The parameter 'accounts' names an account that is not open to both.")
    return asked


def _scope(client: Client, subject: Proof, asked: str | None) -> str:
    """What both may do, or less. Raises InvalidScopeError where that is nothing, or where more is asked for."""
    both = [scope for scope in client.scopes if scope in subject.caller.scopes]
    wanted = both if asked is None else asked.split(" ")
    if not wanted or not set(wanted) <= set(both):
        raise InvalidScopeError()
    return " ".join(dict.fromkeys(wanted))


def _audiences(ours: tuple[str, ...], form: Mapping[str, str]) -> tuple[str, ...] | None:
    named = {form[name] for name in ("audience", "resource") if name in form}
    if not named <= set(ours):
        raise InvalidTarget()
    return tuple(sorted(named)) or None


def actor(acting: str, before: object = None) -> dict[str, Any]:
    """RFC 8693 section 4.1: who acts, and for whom that one acted before. Raises InvalidGrantError for too long a chain."""
    depth, link = 1, before
    while isinstance(link, Mapping):
        depth, link = depth + 1, link.get("act")
    if depth > _DEEPEST:
        raise InvalidGrantError(f"The token was exchanged {_DEEPEST} times already.")
    return {"sub": acting} if before is None else {"sub": acting, "act": before}
