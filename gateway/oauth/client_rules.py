"""What a client may be: which grants go with which proof, and where its users may be sent back to."""

import re
from collections.abc import Collection
from ipaddress import ip_network
from urllib.parse import urlsplit

CLIENT_CREDENTIALS, CODE, REFRESH = "client_credentials", "authorization_code", "refresh_token"
EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
GRANTS = (CLIENT_CREDENTIALS, CODE, REFRESH, EXCHANGE)
BASIC, POST, NONE, ASSERTION = "client_secret_basic", "client_secret_post", "none", "private_key_jwt"
TLS, SELF_SIGNED = "tls_client_auth", "self_signed_tls_client_auth"
METHODS = (BASIC, POST, ASSERTION, TLS, SELF_SIGNED)  # the ways in which a client proves itself; NONE proves nothing
SECRETS = (BASIC, POST)
MOST_REDIRECTS, LONGEST_URI = 10, 1000
SCOPE = re.compile(r"[a-z][a-z0-9-]*:[a-z][a-z0-9-]*", re.ASCII)
_URI = re.compile(r"[A-Za-z0-9:/?&=%~._+@\[\]!$'()*,;-]+", re.ASCII)
_LOOPBACK = {"127.0.0.1", "[::1]"}


class BadClient(ValueError):
    """The client cannot be made or changed like this; the message says why."""


def wrong_scopes(scopes: Collection[str]) -> list[str]:
    return sorted(scope for scope in scopes if not SCOPE.fullmatch(scope))


def check_client(grants: Collection[str], method: str, redirects: Collection[str], *, keys: bool, certificate: bool) -> None:
    """Raises BadClient. RFC 7591 section 2, and RFC 9700 where it is stricter."""
    unknown = sorted(set(grants) - set(GRANTS))
    if unknown or not grants:
        raise BadClient(f"a client has grants of {', '.join(GRANTS)}; not {', '.join(unknown) or 'none'}")
    if method not in (*METHODS, NONE):
        raise BadClient(f"a client proves itself by one of {', '.join((*METHODS, NONE))}; not {method}")
    if method == NONE and set(grants) & {CLIENT_CREDENTIALS, EXCHANGE}:
        raise BadClient(f"a client that cannot prove itself has no grant but {CODE} and {REFRESH}")
    if method == ASSERTION and not keys:
        raise BadClient(f"{ASSERTION} needs the client's public keys (a JWK set)")
    if method in (TLS, SELF_SIGNED) and not certificate:
        raise BadClient(f"{method} needs the client's certificate: its subject, or its SHA-256 thumbprint")
    if CODE in grants and not redirects:
        raise BadClient(f"{CODE} needs a redirect URI")
    if REFRESH in grants and CODE not in grants:
        raise BadClient(f"{REFRESH} comes with {CODE} only")
    check_redirects(redirects)


def check_redirects(uris: Collection[str]) -> None:
    """Https; http on loopback for programs on the user's own machine; or a scheme of the program's own (RFC 8252 section 7.1)."""
    if len(uris) > MOST_REDIRECTS:
        raise BadClient(f"a client has at most {MOST_REDIRECTS} redirect URIs")
    for uri in uris:
        wrong = _wrong_redirect(uri)
        if wrong:
            raise BadClient(f"the redirect URI {uri[:200]!r} {wrong}")


def check_addresses(addresses: Collection[str]) -> None:
    """Raises BadClient for what is no network in CIDR notation."""
    for address in addresses:
        try:
            ip_network(address)
        except ValueError as error:
            raise BadClient(f"{address!r} is no network: {error}") from None


def _wrong_redirect(uri: str) -> str | None:
    if len(uri) > LONGEST_URI or not _URI.fullmatch(uri):
        return f"must be plain ASCII without a fragment, at most {LONGEST_URI} characters"
    try:
        parts = urlsplit(uri)
        host = parts.netloc.rpartition("@")[2].partition("]")[0] + "]" if "[" in parts.netloc else parts.hostname or ""
        _ = parts.port
    except ValueError:
        return "cannot be read"
    if "@" in parts.netloc:
        return "must not name a user"
    if parts.scheme == "https" and host:
        return None
    if parts.scheme == "http" and host in _LOOPBACK:
        return None
    if "." in parts.scheme and not parts.netloc:
        return None
    return "must be https, http on 127.0.0.1 or [::1], or of a private scheme like com.example.app:/back"
