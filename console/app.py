"""The catalog as an application: everything below `/catalog`."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from console.assets import Assets
from console.comparing import changes_page, map_page, versions_page
from console.desk import Desk
from console.explaining import api_page, operation_page, schema_page
from console.feed import MEDIA, feed
from console.listing import first_page, results
from console.rendering import answer, page, security_headers
from console.room import Make, Room, listed_in
from console.session import PLACE, Visit
from console.signing import Signing
from governance.catalog.catalog import Catalog
from governance.catalog.downloads import DOWNLOADS
from governance.catalog.reader import ANYBODY
from kernel.problem import Internal, MethodNotAllowed, NotFound, Problem

API = PLACE + "/apis/{layer}/{name}/{major}"
Endpoint = Callable[[Request], Awaitable[Response]]


def catalog_app(desk: Desk) -> Starlette:
    room = Room(desk, Assets())
    routes = [*_pages(room), *_files(room), *_sessions(room)]
    app = Starlette(routes=routes, exception_handlers=_handlers(room))
    app.router.redirect_slashes = False
    return app


def _pages(room: Room) -> list[Route]:
    def shown(template: str, make: Make, *, foreign_styles: bool = False) -> Endpoint:
        async def endpoint(request: Request) -> Response:
            return await room.show(request, template, make, foreign_styles=foreign_styles)

        return endpoint

    pages: Mapping[str, Endpoint] = {
        PLACE: shown("index.html", first_page),
        f"{PLACE}/": shown("index.html", first_page),
        f"{PLACE}/results": shown("results.html", results),
        f"{PLACE}/map": shown("map.html", map_page),
        f"{PLACE}/changes": shown("changes.html", changes_page),
        API: shown("api.html", api_page),
        API + "/operations/{operation}": shown("operation.html", operation_page(room.desk)),
        API + "/schemas/{schema}": shown("schema.html", schema_page),
        API + "/versions": shown("versions.html", versions_page),
        API + "/swagger": shown("swagger.html", _viewed(room), foreign_styles=True),
        API + "/redoc": shown("redoc.html", _viewed(room), foreign_styles=True),
    }
    return [Route(path, endpoint) for path, endpoint in pages.items()]


def _viewed(room: Room) -> Make:
    def make(catalog: Catalog, request: Request) -> Mapping[str, Any]:
        if not room.assets.viewers:
            raise NotFound("Swagger UI and Redoc are not installed", fix="install fastapi-offline")
        return {"listed": listed_in(catalog, request)}

    return make


def _files(room: Room) -> list[Route]:
    async def download(request: Request) -> Response:
        _, catalog = await room.open(request)
        listed, wanted = listed_in(catalog, request), DOWNLOADS.get(request.path_params["file"])
        if wanted is None:
            raise NotFound(f"there are {', '.join(DOWNLOADS)}")
        name = f"{listed.key.replace('/', '-')}-{request.path_params['file']}"
        headers = security_headers() | {
            "Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "private, no-cache",
            "Vary": "Cookie, Authorization",
        }  # fmt: skip
        return Response(wanted.made(listed.contract, room.desk.url), headers=headers, media_type=wanted.media)

    async def news(request: Request) -> Response:
        _, catalog = await room.open(request)
        return answer(request, page(feed(catalog.changes, room.desk.url).decode(), MEDIA))

    return [
        Route(f"{API}/download/{{file}}", download),
        Route(f"{PLACE}/changes.atom", news),
        Route(f"{PLACE}/static/{{name}}", room.assets.serve),
    ]


def _sessions(room: Room) -> list[Route]:
    signing, place = Signing(room), f"{PLACE}/session"
    return [
        Route(place, signing.show),
        Route(place, signing.take, methods=["POST"]),
        Route(f"{place}/end", signing.leave, methods=["POST"]),
        Route(f"{place}/sandbox", signing.sandbox, methods=["POST"]),
        Route(f"{place}/login", signing.begin),
        Route(f"{place}/back", signing.end),
    ]


def _handlers(room: Room) -> dict[Any, Any]:  # Any: each handler takes its own class of errors
    def refused(request: Request, problem: Problem) -> Response:
        content = room.rendered("problem.html", Visit(ANYBODY), problem=problem)
        response = answer(request, page(content), problem.status)
        response.headers.update({**problem.response_headers(), "Cache-Control": "no-store"})
        return response

    async def on_problem(request: Request, error: Problem) -> Response:
        return refused(request, error)

    async def on_http(request: Request, error: HTTPException) -> Response:
        if error.status_code == 405:
            return refused(request, MethodNotAllowed(f"{request.method} is not possible here", headers=dict(error.headers or {})))
        return refused(request, NotFound("the catalog has no such page"))

    async def on_failure(request: Request, error: Exception) -> Response:
        return refused(request, Internal("the page could not be made"))

    return {Problem: on_problem, HTTPException: on_http, Exception: on_failure}
