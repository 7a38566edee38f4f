"""Templates become answers: nothing from elsewhere is let in, and what did not change is not sent again."""

import hashlib
from collections import OrderedDict
from pathlib import Path
from typing import Any, NamedTuple

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import Response

from console.prose import prose
from console.session import PLACE
from governance.catalog.naming import api_page, operation_page, schema_page

FOLDER = Path(__file__).parent
HTML = "text/html; charset=utf-8"
KEPT = 512  # pages
_POLICY = (
    "default-src 'self'; img-src 'self' data:; style-src 'self'{style}; script-src 'self'; worker-src 'self' blob:; "
    "connect-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'{form}; frame-ancestors 'none'"
)


class Page(NamedTuple):
    content: bytes
    etag: str
    media: str


def environment(assets: dict[str, str]) -> Environment:
    """`assets`: by name, the address under which a file is served for as long as it does not change."""
    found = Environment(loader=FileSystemLoader(FOLDER / "templates"), autoescape=True, undefined=StrictUndefined)
    found.trim_blocks = found.lstrip_blocks = True
    found.globals.update(
        home=PLACE, asset=lambda name: assets[name], api_page=_at(api_page), operation_page=_at(operation_page),
        schema_page=_at(schema_page),
    )  # fmt: skip
    found.filters["prose"] = prose
    found.filters["first_sentence"] = lambda text: str(text).strip().split("\n\n")[0].split(". ")[0].rstrip(".")
    return found


def page(content: str, media: str = HTML) -> Page:
    encoded = content.encode()
    return Page(encoded, f'"{hashlib.sha256(encoded).hexdigest()[:32]}"', media)


def answer(request: Request, found: Page, status: int = 200, *, foreign_styles: bool = False, leads_to: str = "") -> Response:
    """`foreign_styles`: for viewers that write their own styles. `leads_to`: an origin that a form on the page may end at."""
    headers = security_headers(foreign_styles=foreign_styles, leads_to=leads_to)
    headers |= {"ETag": found.etag, "Cache-Control": "private, no-cache", "Vary": "Cookie, Authorization"}
    if status == 200 and found.etag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    return Response(found.content, status, headers, media_type=found.media)


def security_headers(*, foreign_styles: bool = False, leads_to: str = "") -> dict[str, str]:
    style, form = " 'unsafe-inline'" if foreign_styles else "", f" {leads_to}" if leads_to else ""
    return {
        "Content-Security-Policy": _POLICY.format(style=style, form=form), "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY", "Referrer-Policy": "same-origin", "Cross-Origin-Opener-Policy": "same-origin",
        "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
    }  # fmt: skip


class Rendered:
    """The pages made last, by what they show and to whom; the catalog they show never changes."""

    def __init__(self) -> None:
        self._pages: OrderedDict[Any, Page] = OrderedDict()

    def find(self, key: Any) -> Page | None:
        found = self._pages.get(key)
        if found is not None:
            self._pages.move_to_end(key)
        return found

    def keep(self, key: Any, made: Page) -> Page:
        self._pages[key] = made
        while len(self._pages) > KEPT:
            self._pages.popitem(last=False)
        return made


def _at(place: Any) -> Any:
    return lambda *named: f"{PLACE}/{place(*named)}"
