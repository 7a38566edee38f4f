"""A client proves itself in the one way it is registered for: by secret, by assertion, by certificate; or it is public.

What its tokens are to be bound to is found out here too: the certificate that it showed (RFC 8705 section 3) and the key whose
DPoP proof came along (RFC 9449 section 5).
"""

# mypy: allow-untyped-calls
# (Authlib has no annotations.)
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from authlib.oauth2 import OAuth2Error
from authlib.oauth2.rfc6749 import InvalidRequestError
from starlette.requests import Request

from gateway.oauth.assertion import TYPE, Assertions
from gateway.oauth.claims import JKT, X5T
from gateway.oauth.client_rules import ASSERTION, METHODS, NONE, SELF_SIGNED, TLS
from gateway.oauth.clients import Client, ClientStore
from gateway.oauth.dpop import HEADER, BadProof
from gateway.oauth.form import Credentials
from gateway.oauth.possession import Possession
from gateway.oauth.public_keys import ALGORITHMS
from gateway.oauth.request import ProvedClient
from gateway.oauth.terminator import BadCertificate, has_subject, thumbprint

if TYPE_CHECKING:
    from gateway.oauth.server import AuthorizationServer

_ENDPOINTS = ("token", "introspection", "revocation")


class InvalidDpopProof(OAuth2Error):
    """RFC 9449 section 5."""

    error = "invalid_dpop_proof"


@dataclass(frozen=True, slots=True)
class ClientProofs:
    """What proofs are checked with."""

    clients: ClientStore
    assertions: Assertions
    possession: Possession


async def prove_client(
    server: "AuthorizationServer", request: Request, form: Mapping[str, str], *, issues: bool = False
) -> ProvedClient | None:
    """Who asks; None when nobody is proved. `request.state.credentials` has what `form.credentials` found.

    `issues`: a token may be issued for this request, so what it is to be bound to must be proved as well. Raises
    InvalidRequestError for two ways of proof at once, InvalidDpopProof for a proof of possession that is bad or missing.
    """
    given: Credentials | None = request.state.credentials
    proofs = server.proofs
    if _asserts(form):
        if given is not None or "client_secret" in form:
            raise InvalidRequestError("Use one way of client authentication.")
        client, method = await proofs.assertions.prove(form["client_assertion"], form.get("client_id")), ASSERTION
    elif given is not None:
        client, method = await proofs.clients.prove(given.client_id, given.secret), given.method
    else:
        client, method = await _unsigned(proofs, request, form)
    if client is None:
        return None
    bound = await _bound(proofs, request, client, method) if issues else None
    return ProvedClient(client, method, bound)


def server_metadata(possession: Possession) -> dict[str, Any]:
    """What RFC 8414, 8705 and 9449 have a server tell of proofs; ways by certificate only where one can get here."""
    proving = [method for method in METHODS if _possible(possession, method)]
    public = {"token": [NONE], "introspection": list[str](), "revocation": [NONE]}
    return {
        **{f"{endpoint}_endpoint_auth_methods_supported": proving + public[endpoint] for endpoint in _ENDPOINTS},
        **{f"{endpoint}_endpoint_auth_signing_alg_values_supported": list(ALGORITHMS) for endpoint in _ENDPOINTS},
        "tls_client_certificate_bound_access_tokens": possession.terminator.is_there,
        "dpop_signing_alg_values_supported": list(ALGORITHMS),
    }


def resource_metadata(possession: Possession) -> dict[str, Any]:
    """The same of the API (RFC 9728 section 2)."""
    return {
        "tls_client_certificate_bound_access_tokens": possession.terminator.is_there,
        "dpop_signing_alg_values_supported": list(ALGORITHMS),
        "dpop_bound_access_tokens_required": False,
    }


def _possible(possession: Possession, method: str) -> bool:
    terminator = possession.terminator
    return terminator.is_there and (method != TLS or terminator.verifies_chain) if method in (TLS, SELF_SIGNED) else True


def _asserts(form: Mapping[str, str]) -> bool:
    if ("client_assertion" in form) != ("client_assertion_type" in form):
        raise InvalidRequestError("client_assertion and client_assertion_type belong together.")
    if form.get("client_assertion_type", TYPE) != TYPE:
        raise InvalidRequestError(f"The parameter 'client_assertion_type' must be {TYPE}.")
    return "client_assertion" in form


async def _unsigned(proofs: ClientProofs, request: Request, form: Mapping[str, str]) -> tuple[Client | None, str]:
    """A client that is only named: by its certificate it is proved, without one it may be public."""
    client = await proofs.clients.find(form["client_id"]) if "client_id" in form else None
    method = client.details.auth_method if client is not None else ""
    if client is None or method not in (NONE, TLS, SELF_SIGNED):
        return None, ""
    if method != NONE and not _shows_its_own(proofs.possession, request, client):
        return None, ""
    return client, method


def _shows_its_own(possession: Possession, request: Request, client: Client) -> bool:
    """RFC 8705 section 2. A subject proves something only where the terminator knows who may certify it."""
    certificate, registered = _certificate(possession, request), client.details.certificate
    if certificate is None or not registered:
        return False
    if client.details.auth_method == SELF_SIGNED:
        return thumbprint(certificate) == registered
    return possession.terminator.verifies_chain and has_subject(certificate, registered)


def _certificate(possession: Possession, request: Request) -> bytes | None:
    try:
        return possession.terminator.certificate(request.scope)
    except BadCertificate:
        return None


async def _bound(proofs: ClientProofs, request: Request, client: Client, method: str) -> Mapping[str, str] | None:
    bound: dict[str, str] = {}
    given = request.headers.getlist(HEADER.decode())
    if len(given) > 1:
        raise InvalidDpopProof("There must be one DPoP header.")
    if given:
        try:
            bound[JKT] = await proofs.possession.proofs.check(given[0].encode("latin-1"), request.scope)
        except BadProof as refusal:
            said = str(refusal)
            raise InvalidDpopProof(f"{said[0].upper()}{said[1:]}.") from None
    elif client.details.dpop_required:
        raise InvalidDpopProof("This client must prove possession of a key (DPoP).")
    certificate = _certificate(proofs.possession, request) if method in (TLS, SELF_SIGNED) else None
    if certificate is not None:
        bound[X5T] = thumbprint(certificate)
    return bound or None
