"""The authorization server over HTTP: RFC 6749 errors as its JSON, every other refusal as a problem, nothing of either cached."""

# mypy: allow-untyped-calls
# (Authlib has no annotations.)
from collections.abc import Awaitable, Callable, Collection
from http import HTTPStatus
from typing import Any

from authlib.oauth2 import OAuth2Error
from authlib.oauth2.rfc6749 import InvalidRequestError
from slowapi.errors import RateLimitExceeded
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request as HttpRequest
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from gateway.oauth import metadata
from gateway.oauth.form import credentials, read_form
from gateway.oauth.jws import Malformed
from gateway.oauth.keys import JWKS_MAX_AGE
from gateway.oauth.protocol import Protocol, ProvedClient, Request
from gateway.oauth.rates import Brake, Rates
from gateway.oauth.server import AuthorizationServer
from gateway.oauth.verifier import Proof
from kernel.problem import MEDIA_TYPE, BadRequest, Internal, MethodNotAllowed, NotFound, Problem

Endpoint = Callable[[HttpRequest], Awaitable[Response]]
_CACHED = {"Cache-Control": f"public, max-age={JWKS_MAX_AGE}"}


def oauth_app(server: AuthorizationServer, *, scopes: Collection[str] = (), rates: Rates | None = None) -> Starlette:
    """The ASGI application for `/oauth/*` and `/.well-known/oauth-*`; `scopes` are the ones the contracts name."""
    brake = Brake(rates or Rates(), server.clients.recently_proved)
    handlers: dict[type[Exception], Any] = {  # Any: each handler takes its own class of errors
        RateLimitExceeded: brake.refuse,
        OAuth2Error: _oauth_error,
        HTTPException: _http_error,
        Problem: _problem,
        Exception: _failure,
    }
    routes = [*_endpoints(server, brake), *_documents(server, scopes)]
    app = Starlette(routes=routes, exception_handlers=handlers)
    app.router.redirect_slashes = False  # a redirect would send the secret a second time
    return app


def _endpoints(server: AuthorizationServer, brake: Brake) -> list[Route]:
    protocol = Protocol(server.tokens)

    async def token(request: HttpRequest) -> Response:
        asked = await _asked(server, request, metadata.TOKEN)
        if "grant_type" not in asked.form:
            raise InvalidRequestError("The parameter 'grant_type' is missing.")
        answer: Response = protocol.create_token_response(asked)
        return answer

    async def introspect(request: HttpRequest) -> Response:
        asked = await _asked(server, request, metadata.INTROSPECT)
        answer: Response = protocol.create_endpoint_response("introspection", asked)
        return answer

    async def revoke(request: HttpRequest) -> Response:
        asked = await _asked(server, request, metadata.REVOKE)
        answer: Response = protocol.create_endpoint_response("revocation", asked)
        if asked.called_back is not None:
            caller = asked.called_back.caller
            await server.trust.revoke(caller.token_id, caller.expires_at)
        return answer

    paths = {metadata.TOKEN: token, metadata.INTROSPECT: introspect, metadata.REVOKE: revoke}
    return [Route(path, _reading(brake.limit(endpoint)), methods=["POST"]) for path, endpoint in paths.items()]


def _reading(endpoint: Endpoint) -> Endpoint:
    """Reads form and credentials before the brake, which counts by them."""

    async def read(request: HttpRequest) -> Response:
        request.state.form = await read_form(request)
        request.state.credentials = credentials(request, request.state.form)
        return await endpoint(request)

    return read


async def _asked(server: AuthorizationServer, request: HttpRequest, path: str) -> Request:
    """What Authlib will be asked, with everything it needs from the database; an unproved client learns nothing of tokens."""
    form, given = request.state.form, request.state.credentials
    client = await server.clients.prove(given.client_id, given.secret) if given else None
    proved = ProvedClient(client, given.method) if client else None
    token = await _proof(server, form["token"]) if proved and "token" in form else None
    return Request(server.names.issuer + path, form, proved, token)


async def _proof(server: AuthorizationServer, token: str) -> Proof | None:
    try:
        return await server.verifier.prove(token.encode())
    except Malformed:
        return None


def _documents(server: AuthorizationServer, scopes: Collection[str]) -> list[Route]:
    about_server = metadata.server_metadata(server.names, scopes)
    about_resource = metadata.resource_metadata(server.names, scopes)

    async def describe_server(request: HttpRequest) -> Response:
        return JSONResponse(about_server, headers=_CACHED)

    async def describe_resource(request: HttpRequest) -> Response:
        return JSONResponse(about_resource, headers=_CACHED)

    async def jwks(request: HttpRequest) -> Response:
        await server.trust.current()
        keys = sorted(server.trust.keys.values(), key=lambda key: (key.created_at, key.kid))
        return JSONResponse({"keys": [key.public_jwk() for key in keys]}, headers=_CACHED)

    return [
        Route(metadata.SERVER + "{path:path}", describe_server),
        Route(metadata.RESOURCE + "{path:path}", describe_resource),
        Route(metadata.JWKS, jwks),
    ]


async def _oauth_error(request: HttpRequest, error: OAuth2Error) -> Response:
    status, body, headers = error()
    return JSONResponse(body, status, dict(headers))


async def _problem(request: HttpRequest, error: Problem) -> Response:
    return JSONResponse(error.body(), error.status, error.response_headers() | {"Cache-Control": "no-store"}, MEDIA_TYPE)


async def _http_error(request: HttpRequest, error: HTTPException) -> Response:
    path, headers = request.url.path, dict(error.headers or {})
    match error.status_code:
        case HTTPStatus.NOT_FOUND:
            return await _problem(request, NotFound(f"there is nothing at {path}"))
        case HTTPStatus.METHOD_NOT_ALLOWED:
            return await _problem(request, MethodNotAllowed(f"{request.method} is not possible at {path}", headers=headers))
        case _:
            return await _problem(request, BadRequest(error.detail, headers=headers))


async def _failure(request: HttpRequest, error: Exception) -> Response:
    return await _problem(request, Internal("the authorization server failed"))
