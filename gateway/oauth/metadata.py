"""The well-known documents say where and how: RFC 8414 for the authorization server, RFC 9728 for the API it protects."""

# mypy: allow-untyped-calls
# (Authlib has no annotations.)
from collections.abc import Collection
from typing import Any
from urllib.parse import urlsplit

from authlib.common.security import is_secure_transport

from gateway.oauth.access_token import Names
from gateway.oauth.protocol import METHODS

TOKEN, INTROSPECT, REVOKE = "/oauth/token", "/oauth/introspect", "/oauth/revoke"
JWKS = "/oauth/jwks.json"
SERVER, RESOURCE = "/.well-known/oauth-authorization-server", "/.well-known/oauth-protected-resource"


class BadIssuer(ValueError):
    """The public URL cannot name an issuer; the message says what to change."""


def issuer(public_url: str) -> str:
    """The issuer for a public URL. RFC 8414 section 2: https, no query, no fragment; plain http on this machine only."""
    parts = urlsplit(public_url)
    if parts.query or parts.fragment or not is_secure_transport(public_url):
        raise BadIssuer(f"{public_url} cannot be the token issuer: set server.public_url to the https address that callers use")
    return public_url.rstrip("/")


def well_known(base: str, suffix: str) -> str:
    """Where a well-known document is found: before the path of the URL it is about (RFC 8414 section 3.1)."""
    parts = urlsplit(base)
    return f"{parts.scheme}://{parts.netloc}{suffix}{parts.path}"


def server_metadata(names: Names, scopes: Collection[str]) -> dict[str, Any]:
    base = names.issuer
    return {
        "issuer": base,
        "token_endpoint": base + TOKEN,
        "jwks_uri": base + JWKS,
        "introspection_endpoint": base + INTROSPECT,
        "revocation_endpoint": base + REVOKE,
        "scopes_supported": sorted(scopes),
        "response_types_supported": [],  # required by RFC 8414; no grant of ours uses the authorization endpoint yet
        "grant_types_supported": ["client_credentials"],
        "token_endpoint_auth_methods_supported": METHODS,
        "introspection_endpoint_auth_methods_supported": METHODS,
        "revocation_endpoint_auth_methods_supported": METHODS,
    }


def resource_metadata(names: Names, scopes: Collection[str]) -> dict[str, Any]:
    return {
        "resource": names.audiences[0],
        "authorization_servers": [names.issuer],
        "scopes_supported": sorted(scopes),
        "bearer_methods_supported": ["header"],
        "resource_name": "Trivium",
    }
