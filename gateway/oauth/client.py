"""A registered client: what it may do, how it proves itself, and where its users are sent back to."""

# mypy: allow-untyped-calls
# (Authlib has no annotations.)
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from authlib.oauth2.rfc6749 import ClientMixin
from sqlalchemy import Row

from gateway.oauth.client_rules import BASIC


class NewClient(NamedTuple):
    """What a new client is told. The secret is shown here and never again; "" where the client proves itself without one."""

    client_id: str
    secret: str


@dataclass(frozen=True, slots=True)
class Details:
    """What most clients do not need said."""

    partner: str | None = None
    grants: tuple[str, ...] = ("client_credentials",)
    auth_method: str = BASIC
    jwks: Mapping[str, Any] | None = None
    certificate: str | None = None
    redirect_uris: tuple[str, ...] = ()
    dpop_required: bool = False
    addresses: tuple[str, ...] | None = None

    def row(self) -> dict[str, Any]:
        return {
            "partner": self.partner, "grants": " ".join(self.grants), "auth_method": self.auth_method,
            "jwks": None if self.jwks is None else json.dumps(self.jwks), "certificate": self.certificate,
            "redirect_uris": json.dumps(self.redirect_uris), "dpop_required": self.dpop_required,
            "addresses": None if self.addresses is None else json.dumps(self.addresses),
        }  # fmt: skip

    @classmethod
    def of(cls, row: Row[Any]) -> "Details":
        return cls(
            partner=row.partner, grants=tuple(row.grants.split()), auth_method=row.auth_method,
            jwks=None if row.jwks is None else json.loads(row.jwks), certificate=row.certificate,
            redirect_uris=tuple(json.loads(row.redirect_uris or "[]")), dpop_required=bool(row.dpop_required),
            addresses=None if row.addresses is None else tuple(json.loads(row.addresses)),
        )  # fmt: skip


PLAIN = Details()


@dataclass(frozen=True, slots=True)
class Client(ClientMixin):
    """A registered client as Authlib asks about it."""

    id: str
    name: str
    scopes: tuple[str, ...]
    plan: str
    accounts: tuple[str, ...] | None
    active: bool
    created_at: int
    details: Details = PLAIN

    def get_client_id(self) -> str:
        return self.id

    def check_grant_type(self, grant_type: str) -> bool:
        return grant_type in self.details.grants

    def check_response_type(self, response_type: str) -> bool:
        return response_type == "code" and self.check_grant_type("authorization_code")

    def check_redirect_uri(self, redirect_uri: str) -> bool:
        """Exactly as registered (RFC 9700 section 4.1.3), the port of a loopback address included."""
        return redirect_uri in self.details.redirect_uris

    def get_default_redirect_uri(self) -> None:
        """There is none: a request must say where it wants its answer."""

    def get_allowed_scope(self, scope: str | None) -> str | None:
        """The scopes to grant: all of its own when none is asked for; None, that is invalid_scope, when any is not its own."""
        asked = self.scopes if scope is None else tuple(dict.fromkeys(scope.split(" ")))
        return " ".join(asked) if asked and set(asked) <= set(self.scopes) else None


def client_of(row: Row[Any]) -> Client:
    accounts = None if row.accounts is None else tuple(json.loads(row.accounts))
    return Client(
        row.id, row.name, tuple(row.scopes.split()), row.plan, accounts, row.active, row.created_at, Details.of(row),
    )  # fmt: skip
