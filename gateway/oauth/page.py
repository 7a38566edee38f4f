"""The pages people see: rendered here, without scripts, without anything from elsewhere, never inside another site's frame."""

import base64
import hashlib
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from starlette.responses import HTMLResponse, Response

_FOLDER = Path(__file__).parent / "pages"
_STYLE = (_FOLDER / "page.css").read_text(encoding="utf-8")
_STYLE_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()


def _in_words(scope: str) -> str:
    """`master-data:read` as "Read master data"."""
    domain, _, verb = scope.partition(":")
    return f"{verb.capitalize()} {domain}".replace("-", " ")


_templates = Environment(loader=FileSystemLoader(_FOLDER), autoescape=True, undefined=StrictUndefined, trim_blocks=True)
_templates.filters["in_words"] = _in_words
_templates.globals["style"] = Markup(_STYLE)  # noqa: S704 - our own file


def page(name: str, status: int = 200, *, leads_to: str = "", **values: Any) -> Response:
    """`leads_to`: the URI that a form on the page ends at, which browsers must be told beforehand (CSP `form-action`)."""
    content = _templates.get_template(f"{name}.html").render(**values)
    return HTMLResponse(content, status, headers=_headers(leads_to))


def refused(status: int, heading: str, why: str, fix: str = "", headers: dict[str, str] | None = None) -> Response:
    response = page("refused", status, heading=heading, why=why, fix=fix)
    response.headers.update(headers or {})
    return response


def _headers(leads_to: str) -> dict[str, str]:
    policy = (
        f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; form-action 'self'{_source(leads_to)}; "
        "frame-ancestors 'none'; base-uri 'none'"
    )
    return {
        "Content-Security-Policy": policy, "X-Frame-Options": "DENY", "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "same-origin", "Cache-Control": "no-store", "Permissions-Policy": "camera=(), microphone=()",
    }  # fmt: skip


def _source(uri: str) -> str:
    """The origin of a URI, or its scheme where that is a program's own."""
    parts = urlsplit(uri)
    if not parts.scheme:
        return ""
    return f" {parts.scheme}://{parts.netloc}" if parts.netloc else f" {parts.scheme}:"
