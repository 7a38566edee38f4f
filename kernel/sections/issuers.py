"""`[[issuers]]`: who else may say who calls us, which of their words count, and what those are worth here."""

from collections.abc import Mapping
from ipaddress import ip_address
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field

from kernel.sections.base import Section

Algorithm = Literal["ES256", "RS256", "PS256", "EdDSA"]
Seconds = Annotated[int, Field(ge=0, le=300)]


def is_private(url: str) -> bool:
    """Whether nobody on the way can read or change what is asked there: https, or this very machine."""
    parts = urlsplit(url)
    return bool(parts.hostname) and (parts.scheme == "https" or (parts.scheme == "http" and _is_loopback(parts.hostname or "")))


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def _private(url: str) -> str:
    if not is_private(url) or urlsplit(url).query or urlsplit(url).fragment or urlsplit(url).username:
        raise ValueError("must be an https address without query, fragment and credentials")
    return url


Url = Annotated[str, AfterValidator(_private)]


class Claims(Section):
    """Where its tokens say what; of several names the first that is there. A dot leads into an object."""

    client: list[str] = ["client_id", "azp", "appid", "cid"]
    subject: list[str] = ["sub"]
    scopes: list[str] = ["scope", "scp"]
    roles: list[str] = ["roles"]
    partner: list[str] = []
    accounts: list[str] = []
    plan: list[str] = []


class Issuer(Section):
    """One authorization server that is not ours. Its words give only what `scopes` and `roles` translate them into."""

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,15}$")]
    url: Url
    metadata: Url | None = None
    audiences: list[str] = []
    algorithms: Annotated[list[Algorithm], Field(min_length=1)] = ["RS256"]
    types: Annotated[list[str], Field(min_length=1)] = ["at+jwt"]
    leeway: Seconds = 30
    longest_life: Annotated[int, Field(ge=60, le=108_000)] = 7200
    claims: Claims = Claims()
    scopes: Mapping[str, list[str]] = Field(default_factory=dict)
    roles: Mapping[str, list[str]] = Field(default_factory=dict)
    plan: str = "default"
    partner: str = ""
    accounts: list[str] | None = None
