"""A form that was posted to us, with what was found out about it beforehand: who proved to have sent it, and what it names."""

# mypy: allow-untyped-calls
# (Authlib has no annotations.)
from collections import defaultdict
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from authlib.consts import default_json_headers
from authlib.oauth2.rfc6749 import InvalidClientError, OAuth2Request
from authlib.oauth2.rfc6749.requests import BasicOAuth2Payload

from gateway.oauth.access_token import Bearer
from gateway.oauth.authorizations import Authorization
from gateway.oauth.claims import Proof
from gateway.oauth.clients import Client
from gateway.oauth.users import User


@dataclass(frozen=True, slots=True)
class ProvedClient:
    """A client, how it proved itself (or "none"), and the key or certificate that its tokens shall be bound to."""

    client: Client
    method: str
    confirmation: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """What is known of the things that a form names."""

    token: Proof | None = None  # to introspect, to revoke, or to exchange
    authorization: Authorization | None = None  # of the code or of the refresh token
    user: User | None = None  # who gave it


class Request(OAuth2Request):
    """What Authlib decides about.

    `uri` is the endpoint's public address: the one on the wire is plain http behind a TLS terminator, which Authlib refuses.
    """

    def __init__(
        self, uri: str, form: Mapping[str, str], proved: ProvedClient | None, found: Found | None = None, *, method: str = "POST"
    ) -> None:
        super().__init__(method, uri)
        self.payload = BasicOAuth2Payload(form)  # type: ignore[assignment]  # declared by its first value, None
        self.proved, self.found, self._form = proved, found or Found(), form
        self.code = ""  # to answer a consent with
        self.called_back: Proof | Authorization | None = None  # what the answer promises to have revoked
        self.effect: Callable[[], Awaitable[bool]] | None = None  # what must succeed before the answer goes out

    @property
    def form(self) -> Mapping[str, str]:
        return self._form

    @property
    def datalist(self) -> defaultdict[str, list[str]]:
        return defaultdict(list, {name: [value] for name, value in self._form.items()})

    @property
    def confirmation(self) -> Mapping[str, str] | None:
        return self.proved.confirmation if self.proved else None


class UnprovedClient(InvalidClientError):
    """One answer for an unknown client, a closed one, a wrong secret and none; RFC 7617 demands the realm."""

    status_code = 401
    description = "The client could not be authenticated."

    def get_headers(self) -> list[tuple[str, str]]:
        return [*default_json_headers, ("WWW-Authenticate", 'Basic realm="trivium", charset="UTF-8"')]


def own(request: Request) -> Bearer:
    """A client that acts as itself."""
    client: Client = request.proved.client  # type: ignore[union-attr]  # proved, or Authlib had refused
    return Bearer(
        plan=client.plan, accounts=client.accounts, partner=client.details.partner, confirmation=request.confirmation,
    )  # fmt: skip


def narrowed(first: Collection[str] | None, second: Collection[str] | None) -> frozenset[str] | None:
    """The accounts that both may see; None: not restricted to certain accounts."""
    if first is None or second is None:
        both = first if second is None else second
        return None if both is None else frozenset(both)
    return frozenset(first) & frozenset(second)


Answer = tuple[int, dict[str, Any], list[tuple[str, str]]]
