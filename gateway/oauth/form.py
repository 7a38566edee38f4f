"""What a client posts is read once and strictly: a small form, no parameter twice, exactly one way of proving itself.

Authlib would take repeated parameters, two credentials at once, and fail with a 500 on a Basic header that is not UTF-8.
"""

# mypy: allow-untyped-calls
# (Authlib has no annotations.)
import base64
import binascii
from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import parse_qsl, unquote_plus

from authlib.oauth2.rfc6749 import InvalidRequestError
from starlette.requests import Request

from gateway.oauth.client_rules import BASIC, POST
from gateway.oauth.request import UnprovedClient
from kernel.problem import TooLarge

MAX_BODY = 16_384  # bytes
_MAX_FIELDS = 32
_MEDIA_TYPE = "application/x-www-form-urlencoded"


class Credentials(NamedTuple):
    client_id: str
    secret: str
    method: str


async def read_form(request: Request) -> dict[str, str]:
    """The parameters; one without a value counts as absent (RFC 6749 section 3.2). Raises InvalidRequestError, or TooLarge."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != _MEDIA_TYPE:
        raise InvalidRequestError(f"The content type must be {_MEDIA_TYPE}.")
    try:
        text = (await read_body(request)).decode("ascii")
        pairs = parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=_MAX_FIELDS)
    except ValueError:
        raise InvalidRequestError("The form cannot be read.") from None
    form = dict(pairs)
    if len(form) != len(pairs):
        raise InvalidRequestError("A parameter is repeated.")
    return {name: value for name, value in form.items() if value}


async def read_body(request: Request) -> bytes:
    # Starlette's own limit answers in plain text.
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY:
            raise TooLarge(f"the form may be {MAX_BODY} bytes long")
    return bytes(body)


def credentials(request: Request, form: Mapping[str, str]) -> Credentials | None:
    """How the client proves itself; None when it does not. Raises InvalidRequestError for two ways at once (RFC 6749 2.3)."""
    headers = request.headers.getlist("authorization")
    if len(headers) > 1 or (headers and "client_secret" in form):
        raise InvalidRequestError("Use one way of client authentication.")
    if headers:
        found = _basic(headers[0])
        if form.get("client_id", found.client_id) != found.client_id:
            raise InvalidRequestError("The parameter 'client_id' names another client.")
        return found
    if "client_id" in form and "client_secret" in form:
        return Credentials(form["client_id"], form["client_secret"], POST)
    return None


def _basic(header: str) -> Credentials:
    """RFC 6749 section 2.3.1: both halves are form-urlencoded before they are joined."""
    scheme, _, encoded = header.partition(" ")
    try:
        if scheme.lower() != "basic":
            raise UnprovedClient()
        client_id, colon, secret = base64.b64decode(encoded.strip(), validate=True).decode("utf-8").partition(":")
    except (binascii.Error, ValueError):
        raise UnprovedClient() from None
    if not colon or not client_id:
        raise UnprovedClient()
    return Credentials(unquote_plus(client_id), unquote_plus(secret), BASIC)
