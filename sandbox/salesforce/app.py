"""The HTTP face of the imitation: tokens, discovery, the REST API, outbound message set-up; errors in the vendor's form."""

from collections.abc import Callable
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl, unquote

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

from sandbox.faults import Faults
from sandbox.salesforce import api, errors, ids, wire
from sandbox.salesforce.call import Answer, Call, refused
from sandbox.salesforce.errors import ApiError
from sandbox.salesforce.oauth import OAuthError
from sandbox.salesforce.objects import OBJECTS
from sandbox.salesforce.org import Org
from sandbox.salesforce.store import utc_now

LONGEST_URI = 16_384
ALL = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]


class SalesforceImitation:
    """One org on one port."""

    name = "salesforce"

    def __init__(self, clock: Callable[[], datetime] = utc_now) -> None:
        self.clock = clock
        self.faults = Faults()
        self.certificates: dict[str, str] = {}
        self.org = Org(clock, self.certificates, self.faults)
        app = Starlette(
            routes=[
                Route("/services/oauth2/token", self._token, methods=["POST"]),
                Route("/services/oauth2/revoke", self._revoke, methods=["GET", "POST"]),
                Route("/services/oauth2/userinfo", self._identity, methods=["GET", "POST"]),
                Route("/id/{org}/{user}", self._identity, methods=["GET", "POST"]),
                Route("/services/sandbox/outbound-messages", self._outbound_messages, methods=["GET", "POST", "DELETE"]),
                Route("/services/data", self._discovery, methods=["GET"]),
                Route("/services/data/", self._discovery, methods=["GET"]),
                Route("/services/data/{rest:path}", self._data, methods=ALL),
            ],
            exception_handlers={HTTPException: _not_routed, ApiError: _api_error, Exception: _broken},
            lifespan=self._lifespan,
        )
        app.router.redirect_slashes = False
        self.app: ASGIApp = app

    def reset(self) -> None:
        self.org.outbound.stop()
        self.faults.clear()
        self.certificates.clear()
        self.org = Org(self.clock, self.certificates, self.faults)

    def records(self, kind: str) -> list[dict[str, Any]] | None:
        table = self.org.store.tables.get(kind)
        return [_plain(record) for record in table.live.values()] if table is not None else None

    def refusal(self, kind: str, request: Request) -> Response | None:
        """403, not 429, for a spent limit, and that from the token endpoint too; there are no closed periods in a CRM."""
        made = {"rate_limited": errors.limit_exceeded, "server_error": errors.unexpected, "locked_record": errors.locked}.get(
            kind
        )
        return _response(refused(made(), "")) if made is not None else None

    @asynccontextmanager
    async def _lifespan(self, app: Starlette) -> Any:
        yield
        self.org.outbound.stop()

    async def _token(self, request: Request) -> Response:
        form = await _form(request)
        authorization = request.headers.get("authorization", "")
        return _oauth(lambda: self.org.sessions.token(form, authorization, _base_url(request)))

    async def _revoke(self, request: Request) -> Response:
        form = await _form(request)
        return _oauth(lambda: self.org.sessions.revoke(form.get("token", "")))

    async def _identity(self, request: Request) -> Response:
        if not self.org.sessions.valid(request.headers.get("authorization", "")):
            return Response("Bad_OAuth_Token", 403, media_type="text/html")
        base = _base_url(request)
        who = {"organization_id": ids.ORGANIZATION, "user_id": ids.USER, "username": "integration@lumenworks.example"}
        urls = {"rest": f"{base}/services/data/v{{version}}/", "sobjects": f"{base}/services/data/v{{version}}/sobjects/"}
        return _response(Answer(200, {"id": f"{base}/id/{ids.ORGANIZATION}/{ids.USER}"} | who | {"urls": urls}))

    async def _discovery(self, request: Request) -> Response:
        return _response(Answer(200, api.versions()))

    async def _data(self, request: Request) -> Response:
        raw = await request.body()
        org = self.org
        call = _call(org, request, raw)
        try:
            if not org.sessions.valid(request.headers.get("authorization", "")):
                raise errors.session_invalid()
            if len(request.scope["raw_path"]) + len(request.scope["query_string"]) > LONGEST_URI:
                raise ApiError(414, "URI_TOO_LONG", f"The URI is longer than {LONGEST_URI} bytes")
            org.calls += 1
            answer = api.serve(call)
        except ApiError as error:
            answer = refused(error, call.base)
        return _response(answer, {"Sforce-Limit-Info": org.limit_info})

    async def _outbound_messages(self, request: Request) -> Response:
        outbound = self.org.outbound
        if request.method == "POST":
            url, sobject, fields = _subscription(wire.loads(await request.body()))
            return _response(Answer(201, outbound.subscribe(url, sobject, fields, _base_url(request)).shown()))
        if request.method == "DELETE":
            outbound.stop()
            return Response(status_code=204)
        return _response(Answer(200, [one.shown() for one in outbound.subscriptions]))


def _call(org: Org, request: Request, raw: bytes) -> Call:
    """The call in a request: the path split before it is unquoted, so that an external id may hold a slash."""
    path = request.scope["raw_path"].partition(b"?")[0].decode("latin-1")
    version, *segments = [unquote(part) for part in path.removeprefix("/services/data/").rstrip("/").split("/")]
    query = dict(parse_qsl(request.scope["query_string"].decode("latin-1"), keep_blank_values=True))
    method = query.get(api.TUNNELLED, request.method) if request.method == "POST" else request.method
    return Call(org, method.upper(), version.removeprefix("v"), tuple(segments), query, request.headers, raw)


def _subscription(body: Any) -> tuple[str, str, tuple[str, ...] | None]:
    """(url, object, fields) of an outbound message; `fields` may be left out."""
    known = body if isinstance(body, dict) else {}
    url, sobject, fields = known.get("url"), known.get("object"), known.get("fields")
    if not isinstance(url, str) or sobject not in OBJECTS or not set(fields or ()) <= set(OBJECTS[sobject].fields):
        raise errors.parse_error(f"an outbound message has a url, an object ({', '.join(OBJECTS)}) and, if not all, its fields")
    return url, sobject, tuple(fields) if fields is not None else None


async def _form(request: Request) -> dict[str, str]:
    """Parameters from the body and, as Salesforce also takes them, from the query."""
    body = (await request.body()).decode("latin-1")
    return dict(parse_qsl(request.scope["query_string"].decode("latin-1")) + parse_qsl(body, keep_blank_values=True))


def _oauth(work: Callable[[], Any]) -> Response:
    try:
        body = work()
    except OAuthError as error:
        return _response(Answer(400, error.body))
    return _response(Answer(200, body)) if body is not None else Response(status_code=200)


def _base_url(request: Request) -> str:
    return f"{request.url.scheme}://{request.headers.get('host', '127.0.0.1')}"


def _response(answer: Answer, headers: dict[str, str] | None = None) -> Response:
    named = dict(answer.headers) | (headers or {})
    if answer.body is None:
        return Response(status_code=answer.status, headers=named)
    return Response(wire.dumps(answer.body), answer.status, named, "application/json;charset=UTF-8")


def _plain(record: dict[str, Any]) -> dict[str, Any]:
    """A record for the control endpoint, whose JSON knows no exact numbers: amounts as texts."""
    return {k: v if v is None or isinstance(v, str | bool | int | dict) else str(v) for k, v in record.items()}


async def _not_routed(request: Request, error: Exception) -> Response:
    if isinstance(error, HTTPException) and error.status_code == 405:
        allowed = (error.headers or {}).get("Allow", "")
        return _response(refused(errors.method_not_allowed(request.method, allowed.replace(" ", "")), ""))
    return _response(refused(errors.not_found(), ""))


async def _api_error(request: Request, error: Exception) -> Response:
    return _response(refused(error if isinstance(error, ApiError) else errors.unexpected(), ""))


async def _broken(request: Request, error: Exception) -> Response:
    return _response(refused(errors.unexpected(), ""))
