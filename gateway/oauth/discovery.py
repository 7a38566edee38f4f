"""Where an issuer's keys are is read from its own metadata (RFC 8414, OpenID Connect Discovery), strictly and within bounds.

What is asked is https or this machine; a redirect, a large document and a slow one are failures; a document that names another
issuer is believed in nothing (RFC 8414 section 3.3).
"""

import asyncio
import json
import re
from typing import Any, NamedTuple, Protocol
from urllib.parse import urlsplit

import httpx

from gateway.oauth.public_keys import BadKey, PublicKey, read_keys
from kernel import http
from kernel.sections.issuers import Issuer, is_private

LARGEST = 262_144  # bytes of a document
DEADLINE = 5.0  # seconds for one document
LEAST, USUAL, MOST = 60, 600, 3600  # seconds for which a key set is fresh: at least, when nothing is said, at most
_OPENID, _OAUTH = "/.well-known/openid-configuration", "/.well-known/oauth-authorization-server"
_ASKING = {"Accept": "application/json", "Accept-Encoding": "identity"}
_MAX_AGE = re.compile(r"(?:^|[,\s])max-age=([0-9]{1,9})(?:$|[,\s])", re.IGNORECASE)


class NotFetched(Exception):
    """The keys could not be had; the message says why and names no more than the issuer's own addresses."""


class Published(NamedTuple):
    """An issuer's usable keys, and for how many seconds they may be taken for all there are."""

    keys: tuple[PublicKey, ...]
    fresh_for: int


class Source(Protocol):
    """Where keys come from."""

    async def fetch(self) -> Published:
        """Raises NotFetched."""

    async def close(self) -> None: ...


class Discovery:
    """The keys of one issuer, over HTTP."""

    def __init__(self, said: Issuer, client: httpx.AsyncClient | None = None, *, deadline: float = DEADLINE) -> None:
        self._said, self._deadline = said, deadline
        self._http = client or http.client(said.url, timeout=deadline, connections=2)

    async def fetch(self) -> Published:
        place = await self._jwks_uri()
        document, headers = await self._document(place)
        try:
            keys = tuple(key for key in read_keys(document) if not key.verifiers.keys().isdisjoint(self._said.algorithms))
        except BadKey as refusal:
            raise NotFetched(f"{place}: {refusal}") from None
        if not keys:
            raise NotFetched(f"{place} has no key for {', '.join(self._said.algorithms)}")
        return Published(keys, _fresh_for(headers))

    async def close(self) -> None:
        await self._http.aclose()

    async def _jwks_uri(self) -> str:
        document = await self._metadata()
        if document.get("issuer") != self._said.url:
            raise NotFetched(f"the metadata of {self._said.url} names another issuer; set issuers.url to what it says itself")
        place = document.get("jwks_uri")
        if not isinstance(place, str) or not _is_private(place):
            raise NotFetched(f"the metadata of {self._said.url} names no jwks_uri with https")
        return place

    async def _metadata(self) -> dict[str, Any]:
        """OpenID Connect appends the well-known path, RFC 8414 inserts it; most issuers have the first."""
        url = self._said.url
        if self._said.metadata is not None:
            return (await self._document(self._said.metadata))[0]
        try:
            return (await self._document(url.rstrip("/") + _OPENID))[0]
        except NotFetched as first:
            try:
                return (await self._document(_inserted(url)))[0]
            except NotFetched as second:
                raise NotFetched(f"{first}; {second}") from None

    async def _document(self, url: str) -> tuple[dict[str, Any], httpx.Headers]:
        try:
            async with asyncio.timeout(self._deadline):
                return await self._get(url)
        except TimeoutError:
            raise NotFetched(f"{url} did not answer within {self._deadline:g} s") from None
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise NotFetched(f"{url} cannot be read: {type(error).__name__}") from None

    async def _get(self, url: str) -> tuple[dict[str, Any], httpx.Headers]:
        content = b""
        async with self._http.stream("GET", url, headers=_ASKING) as answer:
            if answer.status_code != 200:
                raise NotFetched(f"{url} answered {answer.status_code}")
            if answer.headers.get("content-encoding", "identity") != "identity":
                raise NotFetched(f"{url} is compressed, which nobody asked for")  # a little could become much
            async for chunk in answer.aiter_bytes():
                content += chunk
                if len(content) > LARGEST:
                    raise NotFetched(f"{url} is longer than {LARGEST} bytes")
        try:
            document = json.loads(content.decode("utf-8"))
        except (ValueError, RecursionError):
            raise NotFetched(f"{url} is not JSON") from None
        if not isinstance(document, dict):
            raise NotFetched(f"{url} is not a JSON object")
        return document, answer.headers


def _inserted(url: str) -> str:
    """RFC 8414 section 3.1: before the path."""
    parts = urlsplit(url.rstrip("/"))
    return f"{parts.scheme}://{parts.netloc}{_OAUTH}{parts.path}"


def _is_private(place: str) -> bool:
    try:
        return is_private(place) and urlsplit(place).username is None
    except ValueError:
        return False


def _fresh_for(headers: httpx.Headers) -> int:
    found = _MAX_AGE.search(headers.get("cache-control", ""))
    return min(max(int(found[1]), LEAST), MOST) if found else USUAL
