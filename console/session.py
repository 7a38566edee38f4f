"""Who reads: the holder of the token in the Authorization header or in a cookie that scripts cannot read, proved each time."""

from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from console.desk import Desk, reader_of
from governance.catalog.reader import ANYBODY, EVERYTHING, Reader
from kernel.problem import Forbidden, Unauthorized

COOKIE = "trivium_catalog"
PLACE = "/catalog"
LONGEST = 4000  # bytes of a token; browsers keep no larger cookie


@dataclass(frozen=True)
class Visit:
    """`client`: who signed in, "" for nobody. `stale`: there is a cookie, and its token is worth nothing any more."""

    reader: Reader
    client: str = ""
    stale: bool = False


async def visit(desk: Desk, request: Request) -> Visit:
    """Raises Unauthorized for a token in the header that is not good; a cookie that is not good any more is no visit."""
    scheme, _, said = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and said:
        return await proved(desk, said)
    kept = request.cookies.get(COOKIE, "")
    anybody = EVERYTHING if desk.open else ANYBODY
    if not kept:
        return Visit(anybody)
    try:
        return await proved(desk, kept)
    except Unauthorized:
        return Visit(anybody, stale=True)


async def proved(desk: Desk, token: str) -> Visit:
    """Raises Unauthorized."""
    if len(token) > LONGEST or not token.isascii():
        raise Unauthorized("this is no access token")
    holder = await desk.prove(token.encode())
    return Visit(reader_of(holder), holder.client)


def check_own_page(request: Request) -> None:
    """A form of another site must not sign anybody in or out. Raises Forbidden."""
    site = request.headers.get("sec-fetch-site")
    origin = request.headers.get("origin")
    own = f"{request.url.scheme}://{request.headers.get('host', '')}"
    foreign = site not in ("same-origin", "none") if site is not None else origin is not None and _bare(origin) != _bare(own)
    if foreign:
        raise Forbidden("this form was sent from another site")


def remember(response: Response, desk: Desk, token: str, lifetime: int) -> Response:
    response.set_cookie(COOKIE, token, max_age=max(1, lifetime), path=PLACE, secure=desk.secure, httponly=True, samesite="strict")
    return response


def forget(response: Response, desk: Desk) -> Response:
    response.delete_cookie(COOKIE, path=PLACE, secure=desk.secure, httponly=True, samesite="strict")
    return response


def _bare(origin: str) -> str:
    """Without the scheme: a terminator in front may have changed it."""
    return origin.partition("://")[2]
