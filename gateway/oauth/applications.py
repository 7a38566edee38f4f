"""What a client says of itself when it asks for registration (RFC 7591): read strictly, judged by Authlib and our rules."""

# mypy: allow-untyped-calls
# (Authlib has no annotations.)
import base64
import binascii
import hashlib
import json
from collections.abc import Mapping
from typing import Annotated, Any

from authlib.oauth2.rfc7591 import ClientMetadataClaims, InvalidClientMetadataError
from authlib.oauth2.rfc7591.errors import InvalidRedirectURIError
from joserfc.errors import JoseError
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from gateway.oauth.client_rules import BASIC, CODE, SELF_SIGNED, TLS, BadClient, check_client, check_redirects
from gateway.oauth.clients import Details
from gateway.oauth.public_keys import BadKey, read_key

MOST_KEYS = 10
_SECRET = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})
_PLAIN = r"^[^\x00-\x1f\x7f]+$"
Text = Annotated[str, Field(min_length=1, max_length=100, pattern=_PLAIN)]
Uri = Annotated[str, Field(min_length=1, max_length=1000)]


class Application(BaseModel):
    """The metadata we know; what else is said is ignored (RFC 7591 section 2), but for what would change its meaning."""

    model_config = ConfigDict(frozen=True, strict=True, extra="ignore")

    client_name: Text
    scope: Annotated[str, Field(min_length=1, max_length=2000)]
    grant_types: Annotated[list[Text], Field(min_length=1, max_length=10)] = [CODE]
    response_types: Annotated[list[Text], Field(max_length=4)] = []
    redirect_uris: Annotated[list[Uri], Field(max_length=10)] = []
    token_endpoint_auth_method: Text = BASIC
    contacts: Annotated[list[Annotated[str, Field(max_length=254, pattern=_PLAIN)]], Field(max_length=5)] = []
    jwks: dict[str, Any] | None = None
    tls_client_auth_subject_dn: Annotated[str, Field(max_length=500, pattern=_PLAIN)] | None = None
    dpop_bound_access_tokens: bool = False
    software_id: Text | None = None
    software_version: Text | None = None

    @property
    def scopes(self) -> list[str]:
        return list(dict.fromkeys(self.scope.split()))

    def details(self, partner: str | None = None) -> Details:
        """What the client would be. Its certificate, for TLS, is in its first key (`x5c`), or named by subject."""
        certificate = self.tls_client_auth_subject_dn if self.token_endpoint_auth_method == TLS else None
        if self.token_endpoint_auth_method == SELF_SIGNED:
            certificate = _thumbprint(self.jwks)
        return Details(
            partner=partner, grants=tuple(self.grant_types), auth_method=self.token_endpoint_auth_method, jwks=self.jwks,
            certificate=certificate, redirect_uris=tuple(self.redirect_uris), dpop_required=self.dpop_bound_access_tokens,
        )  # fmt: skip

    def shown(self) -> dict[str, Any]:
        return self.model_dump(exclude_none=True)


def read_application(body: bytes, server: Mapping[str, Any]) -> Application:
    """`server`: our own metadata. Raises InvalidClientMetadataError or InvalidRedirectURIError (RFC 7591 section 3.2.2)."""
    said = _object(body)
    for name, why in (("jwks_uri", "send the keys themselves as 'jwks'"), ("software_statement", "none is taken here")):
        if said.get(name) is not None:
            raise InvalidClientMetadataError(f"{name}: {why}.")
    said = {**said, "jwks": _public_keys(said["jwks"])} if said.get("jwks") is not None else said
    try:
        application = Application.model_validate(said)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        raise InvalidClientMetadataError(_told(f"{'.'.join(str(part) for part in first['loc'])}: {first['msg']}.")) from None
    _judge(application, server)
    return application


def _judge(application: Application, server: Mapping[str, Any]) -> None:
    try:
        check_redirects(application.redirect_uris)
    except BadClient as error:
        raise InvalidRedirectURIError(_told(str(error))) from None
    said = application.model_dump(exclude={"jwks", "redirect_uris"}, exclude_none=True)
    if not application.response_types:
        said.pop("response_types")
    try:
        ClientMetadataClaims(said, {}, ClientMetadataClaims.get_claims_options(dict(server)), dict(server)).validate()
        details = application.details()
        keys, certificate = details.jwks is not None, details.certificate is not None
        check_client(details.grants, details.auth_method, details.redirect_uris, keys=keys, certificate=certificate)
    except JoseError as error:
        raise InvalidClientMetadataError(_told(f"{error.description or 'a value'} is not accepted.")) from None
    except BadClient as error:
        raise InvalidClientMetadataError(_told(f"{error}.")) from None


def _object(body: bytes) -> dict[str, Any]:
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        said = None
    if not isinstance(said, dict):
        raise InvalidClientMetadataError("The body must be a JSON object.")
    return said


def _public_keys(jwks: object) -> dict[str, Any]:
    """The keys that can be used, each read alone; a private one refuses them all, for whoever sends it must not use it again."""
    listed = jwks.get("keys") if isinstance(jwks, dict) else None
    if not isinstance(listed, list) or len(listed) > MOST_KEYS:
        raise InvalidClientMetadataError(f"jwks: must be a JWK set of at most {MOST_KEYS} keys.")
    if any(isinstance(key, dict) and not _SECRET.isdisjoint(key) for key in listed):
        raise InvalidClientMetadataError("jwks: never send a private key; make a new pair and send its public half.")
    kept = [key for key in listed if _readable(key)]
    if not kept:
        raise InvalidClientMetadataError("jwks: holds no key that can be used (P-256, RSA of 2048 bits or more, Ed25519).")
    return {"keys": kept}


def _readable(key: object) -> bool:
    try:
        read_key(key)
    except BadKey:
        return False
    return True


def _thumbprint(jwks: Mapping[str, Any] | None) -> str | None:
    """RFC 8705 section 3.1, of the certificate in the first key that has one."""
    chains = [key["x5c"] for key in (jwks or {}).get("keys", ()) if isinstance(key.get("x5c"), list) and key["x5c"]]
    try:
        der = base64.b64decode(chains[0][0], validate=True)
    except (IndexError, TypeError, binascii.Error, ValueError):
        return None
    return base64.urlsafe_b64encode(hashlib.sha256(der).digest()).rstrip(b"=").decode()


def _told(text: str) -> str:
    """What an error description may hold (RFC 6749 section 5.2)."""
    return "".join(char if " " <= char <= "~" and char not in '"\\' else "'" for char in text)[:500]
