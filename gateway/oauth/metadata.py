"""The well-known documents say where and how: RFC 8414 for the authorization server, RFC 9728 for the API it protects."""

# mypy: allow-untyped-calls
# (Authlib has no annotations.)
from collections.abc import Collection, Mapping
from types import MappingProxyType
from typing import Any
from urllib.parse import urlsplit

from authlib.common.security import is_secure_transport

from gateway.oauth.access_token import Names
from gateway.oauth.client_rules import GRANTS, METHODS, NONE

TOKEN, INTROSPECT, REVOKE = "/oauth/token", "/oauth/introspect", "/oauth/revoke"
AUTHORIZE, LOGIN, REGISTER = "/oauth/authorize", "/oauth/login", "/oauth/register"
JWKS = "/oauth/jwks.json"
SERVER, RESOURCE = "/.well-known/oauth-authorization-server", "/.well-known/oauth-protected-resource"


_NOTHING: Mapping[str, Any] = MappingProxyType({})


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


def server_metadata(
    names: Names, scopes: Collection[str], *, registers: bool = False, more: Mapping[str, Any] = _NOTHING
) -> dict[str, Any]:
    """`registers`: whether clients may ask for registration; `more`: what proofs of clients and of possession are taken."""
    base = names.issuer
    return {
        "issuer": base,
        "authorization_endpoint": base + AUTHORIZE,
        "token_endpoint": base + TOKEN,
        "jwks_uri": base + JWKS,
        "introspection_endpoint": base + INTROSPECT,
        "revocation_endpoint": base + REVOKE,
        **({"registration_endpoint": base + REGISTER} if registers else {}),
        "scopes_supported": sorted(scopes),
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": list(GRANTS),
        "code_challenge_methods_supported": ["S256"],
        "authorization_response_iss_parameter_supported": True,  # RFC 9207
        "token_endpoint_auth_methods_supported": [*METHODS, NONE],
        "introspection_endpoint_auth_methods_supported": list(METHODS),
        "revocation_endpoint_auth_methods_supported": [*METHODS, NONE],
        **more,
    }


def resource_metadata(names: Names, scopes: Collection[str], more: Mapping[str, Any] = _NOTHING) -> dict[str, Any]:
    return {
        "resource": names.audiences[0],
        "authorization_servers": [names.issuer],
        "scopes_supported": sorted(scopes),
        "bearer_methods_supported": ["header"],
        "resource_name": "Trivium",
        **more,
    }
