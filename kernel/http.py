"""All outbound HTTP: the httpx API on the aiohttp transport, with transport failures told as problems.

What matters is whether a write may have taken effect: a failure before the request was sent is `PlatformDown`, one after
it is `OutcomeUnknown` or `PlatformTimeout`.
"""

from http.cookiejar import CookieJar, DefaultCookiePolicy
from urllib.parse import quote

import aiohttp
import httpx
from httpx_aiohttp import AiohttpTransport

from kernel.problem import BadRequest, OutcomeUnknown, PlatformDown, PlatformTimeout

_NOT_SENT = (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError, aiohttp.InvalidURL)


def path(template: str, **ids: str) -> str:
    """Fills a path template, each id as exactly one segment; "", "." and ".." are attacks and refused."""
    for name, value in ids.items():
        if value in ("", ".", ".."):
            raise BadRequest(f"{name} cannot be {value!r}", field=name)
    return template.format(**{name: quote(value, safe="") for name, value in ids.items()})


def client(base_url: str, *, timeout: float, connections: int = 100) -> httpx.AsyncClient:
    """A pooled client for one platform; `timeout` is in seconds and covers connecting, sending and each wait for data.

    It keeps no cookies: what one caller was given must not go out with the call of another.
    """

    def session() -> aiohttp.ClientSession:
        connector = aiohttp.TCPConnector(limit=connections, keepalive_timeout=30)
        return aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar())

    return httpx.AsyncClient(
        base_url=base_url,
        timeout=timeout,
        transport=AiohttpTransport(client=session),
        cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
        follow_redirects=False,
        trust_env=False,
    )


def not_sent(error: httpx.TransportError) -> bool:
    """Whether the request surely never left. The transport calls a connection that was cut after sending a ConnectTimeout too,
    so only aiohttp's own error behind it can tell.
    """
    return isinstance(error.__cause__, _NOT_SENT) or isinstance(error, httpx.PoolTimeout | httpx.UnsupportedProtocol)


async def send(http: httpx.AsyncClient, request: httpx.Request, *, system: str) -> httpx.Response:
    """Sends; aiohttp repeats a GET, PUT or DELETE once when the connection breaks, which their meaning allows.

    Raises PlatformDown (nothing was sent), PlatformTimeout or OutcomeUnknown (it may have been done).
    """
    try:
        return await http.send(request)
    except httpx.TransportError as error:
        if not_sent(error):
            raise PlatformDown(f"{system} cannot be reached", system=system) from None
        if isinstance(error.__cause__, TimeoutError):
            raise PlatformTimeout(f"{system} did not answer in time", system=system) from None
        raise OutcomeUnknown(f"{system} broke off in the middle of an answer", system=system) from None
