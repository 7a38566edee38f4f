"""The authorization server over HTTP: RFC 6749 errors as its JSON, every other refusal as a problem, nothing of either cached."""

# mypy: allow-untyped-calls
# (Authlib has no annotations.)
from collections.abc import Awaitable, Callable, Collection
from http import HTTPStatus
from typing import Any

from authlib.oauth2 import OAuth2Error
from authlib.oauth2.rfc6749 import InvalidGrantError, InvalidRequestError
from slowapi.errors import RateLimitExceeded
from sqlalchemy.exc import SQLAlchemyError
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request as HttpRequest
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from gateway.audit.entry import CLAIMED
from gateway.oauth import client_proof, metadata
from gateway.oauth.authorizations import Authorization
from gateway.oauth.authorize import AuthorizationEndpoint
from gateway.oauth.clients import CLIENT_ID
from gateway.oauth.finding import asked
from gateway.oauth.form import credentials, read_form
from gateway.oauth.keys import JWKS_MAX_AGE
from gateway.oauth.page import refused
from gateway.oauth.protocol import Protocol
from gateway.oauth.rates import PAGES, Brake, Rates
from gateway.oauth.registration import RegistrationEndpoint
from gateway.oauth.request import Request
from gateway.oauth.server import AuthorizationServer
from kernel.problem import MEDIA_TYPE, BadRequest, Internal, MethodNotAllowed, NotFound, Problem, Unavailable

Endpoint = Callable[[HttpRequest], Awaitable[Response]]
_CACHED = {"Cache-Control": f"public, max-age={JWKS_MAX_AGE}"}


def oauth_app(server: AuthorizationServer, *, scopes: Collection[str] = (), rates: Rates | None = None) -> Starlette:
    """The ASGI application for `/oauth/*` and `/.well-known/oauth-*`; `scopes` are the ones the contracts name."""
    brake = Brake(rates or Rates(), server.clients.recently_proved)
    protocol = Protocol(server.tokens, server.authorizations, server.names)
    handlers: dict[type[Exception], Any] = {  # Any: each handler takes its own class of errors
        RateLimitExceeded: brake.refuse,
        OAuth2Error: _oauth_error,
        HTTPException: _http_error,
        Problem: _problem,
        Exception: _failure,
    }
    pages, registration = _pages(server, protocol, brake), _registration(server, brake, scopes)
    routes = [*_endpoints(server, protocol, brake), *pages, *registration, *_documents(server, scopes)]
    app = Starlette(routes=routes, exception_handlers=handlers)
    app.router.redirect_slashes = False  # a redirect would send the secret a second time
    return app


def _endpoints(server: AuthorizationServer, protocol: Protocol, brake: Brake) -> list[Route]:
    async def token(request: HttpRequest) -> Response:
        asking = await asked(server, request, metadata.TOKEN)
        if "grant_type" not in asking.form:
            raise InvalidRequestError("The parameter 'grant_type' is missing.")
        answer: Response = protocol.create_token_response(asking)
        if asking.effect is not None and not await asking.effect():
            raise InvalidGrantError("It was used before; everything that was issued for it is revoked.")
        return answer

    async def introspect(request: HttpRequest) -> Response:
        answer: Response = protocol.create_endpoint_response("introspection", await asked(server, request, metadata.INTROSPECT))
        return answer

    async def revoke(request: HttpRequest) -> Response:
        asking = await asked(server, request, metadata.REVOKE)
        answer: Response = protocol.create_endpoint_response("revocation", asking)
        await _call_back(server, asking)
        return answer

    paths = {metadata.TOKEN: token, metadata.INTROSPECT: introspect, metadata.REVOKE: revoke}
    return [Route(path, _reading(brake.limit(endpoint)), methods=["POST"]) for path, endpoint in paths.items()]


async def _call_back(server: AuthorizationServer, asking: Request) -> None:
    match asking.called_back:
        case None:
            return
        case Authorization(id=authorization):
            await server.authorizations.end(authorization)
        case proof:
            await server.trust.revoke(proof.caller.token_id, proof.caller.expires_at)
            await server.authorizations.call_back(proof.caller.token_id)


def _reading(endpoint: Endpoint) -> Endpoint:
    """Reads form and credentials before the brake, which counts by them."""

    async def read(request: HttpRequest) -> Response:
        request.state.form = await read_form(request)
        request.state.credentials = credentials(request, request.state.form)
        if request.state.credentials is not None and CLIENT_ID.fullmatch(request.state.credentials.client_id):
            request.scope[CLAIMED] = request.state.credentials.client_id
        return await endpoint(request)

    return read


def _pages(server: AuthorizationServer, protocol: Protocol, brake: Brake) -> list[Route]:
    endpoint = AuthorizationEndpoint(server, protocol)

    def posted(answer: Endpoint) -> Endpoint:
        async def read(request: HttpRequest) -> Response:
            request.state.form = await read_form(request)
            return await answer(request)

        return read

    return [
        Route(metadata.AUTHORIZE, brake.limit_visits(endpoint.show), methods=["GET"]),
        Route(metadata.AUTHORIZE, posted(brake.limit_visits(endpoint.decide)), methods=["POST"]),
        Route(metadata.LOGIN, posted(brake.limit_sign_in(endpoint.sign_in)), methods=["POST"]),
    ]


def _registration(server: AuthorizationServer, brake: Brake, scopes: Collection[str]) -> list[Route]:
    if not server.registrations.most:
        return []
    endpoint = RegistrationEndpoint(server, sorted(scopes))
    return [
        Route(metadata.REGISTER, brake.limit_applications(endpoint.apply), methods=["POST"]),
        Route(metadata.REGISTER + "/{registration_id}", brake.limit_address(endpoint.status), methods=["GET"]),
    ]


def _documents(server: AuthorizationServer, scopes: Collection[str]) -> list[Route]:
    proofs, registers = client_proof.server_metadata(server.proofs.possession), server.registrations.most > 0
    about_server = metadata.server_metadata(server.names, scopes, registers=registers, more=proofs)
    about_resource = metadata.resource_metadata(server.names, scopes, client_proof.resource_metadata(server.proofs.possession))

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
    if request.url.path in PAGES:
        return refused(error.status, error.title, error.detail, error.fix or "", error.response_headers())
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
    if isinstance(error, (SQLAlchemyError, TimeoutError)):
        return await _problem(request, Unavailable("the database of the authorization server does not answer", retry_after=1))
    return await _problem(request, Internal("the authorization server failed"))
