"""The registration endpoint (RFC 7591): an application is taken down, and its applicant can ask what became of it (RFC 7592).

Until a person decided the answer is 202 and there is no client; the registration access token opens this application alone.
"""

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from gateway.oauth.applications import read_application
from gateway.oauth.form import read_body
from gateway.oauth.metadata import REGISTER, server_metadata
from gateway.oauth.registrations import Registration
from gateway.oauth.server import AuthorizationServer
from kernel.problem import Unauthorized, UnsupportedMediaType

_NOT_KEPT = {"Cache-Control": "no-store"}


class RegistrationEndpoint:
    """POST takes an application down, GET below it tells its state."""

    def __init__(self, server: AuthorizationServer, scopes: list[str]) -> None:
        self._server = server
        self._metadata = server_metadata(server.names, scopes)

    async def apply(self, request: Request) -> Response:
        if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
            raise UnsupportedMediaType("an application for registration is application/json")
        application = read_application(await read_body(request), self._metadata)
        new = await self._server.registrations.add(application)
        told = {
            "registration_id": new.id, "registration_client_uri": self._uri(new.id), "registration_access_token": new.token,
            "status": "pending", **application.shown(),
        }  # fmt: skip
        return JSONResponse(told, 202, _NOT_KEPT)

    async def status(self, request: Request) -> Response:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        found = None
        if scheme.lower() == "bearer":
            found = await self._server.registrations.prove(request.path_params["registration_id"], token)
        if found is None:
            challenge = {"WWW-Authenticate": 'Bearer error="invalid_token"'}
            raise Unauthorized("the registration access token is not good for this application", headers=challenge)
        return JSONResponse(await self._told(found), headers=_NOT_KEPT)

    async def _told(self, found: Registration) -> dict[str, Any]:
        told = {"registration_id": found.id, "registration_client_uri": self._uri(found.id), "status": found.state}
        if found.reason is not None:
            told["reason"] = found.reason
        if found.client_id is None:
            return {**told, **found.application.shown()}
        client, secret = await self._server.clients.find(found.client_id), await self._server.registrations.first_secret(found)
        shown = {**told, **found.application.shown(), "client_id": found.client_id, "client_id_issued_at": found.decided_at}
        if client is not None:
            shown["scope"] = " ".join(client.scopes)
        return shown if secret is None else {**shown, "client_secret": secret, "client_secret_expires_at": 0}

    def _uri(self, registration_id: str) -> str:
        return f"{self._server.names.issuer}{REGISTER}/{registration_id}"
