"""Signing in: with a token, at the authorization server (authorization code with PKCE), or with a token for the sandbox."""

import base64
import hashlib
import json
import secrets
from typing import Any
from urllib.parse import urlencode, urlsplit

from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from console.rendering import answer, page, security_headers
from console.room import Room
from console.session import PLACE, check_own_page, forget, proved, remember, visit
from kernel.problem import BadRequest, NotFound, Unauthorized

_UNDER_WAY = "trivium_catalog_login"
_WHILE = 600  # seconds in which somebody signs in
_KEPT = 600  # seconds; no token of ours lives longer


class Signing:
    def __init__(self, room: Room) -> None:
        self._room, self._desk = room, room.desk

    async def show(self, request: Request) -> Response:
        return await self._page(request)

    async def take(self, request: Request) -> Response:
        """A token that was pasted."""
        check_own_page(request)
        token = str((await request.form()).get("token", "")).strip().removeprefix("Bearer ").strip()
        try:
            await proved(self._desk, token)
        except Unauthorized as refused:
            return await self._page(request, refused.detail, 401)
        return remember(_home(), self._desk, token, _KEPT)

    async def leave(self, request: Request) -> Response:
        check_own_page(request)
        return forget(_home(), self._desk)

    async def sandbox(self, request: Request) -> Response:
        """A token for the sandbox: for the page that asks for JSON, or kept as that of whoever asks with a form."""
        check_own_page(request)
        if self._desk.issue is None:
            raise NotFound("there is no sandbox here")
        made = await self._desk.issue()
        if "application/json" not in request.headers.get("accept", ""):
            return remember(_home(), self._desk, made.access_token, made.lifetime)
        said: dict[str, Any] = {
            "access_token": made.access_token, "token_type": "Bearer", "expires_in": made.lifetime,
            "scope": " ".join(made.scopes),
        }  # fmt: skip
        return JSONResponse(said, headers=security_headers() | {"Cache-Control": "no-store"})

    async def begin(self, request: Request) -> Response:
        """To the authorization server; what proves on the way back that it was us is kept in a cookie meanwhile."""
        if self._desk.login is None:
            raise NotFound("nobody signs in here but with a token", fix="[catalog] client_id names the client to sign in with")
        verifier, state = secrets.token_urlsafe(48), secrets.token_urlsafe(24)
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
        asked = {
            "response_type": "code", "client_id": self._desk.login.client_id, "redirect_uri": self._back, "state": state,
            "code_challenge": challenge, "code_challenge_method": "S256",
        }  # fmt: skip
        response = RedirectResponse(f"{self._desk.login.authorize}?{urlencode(asked)}", 303, security_headers())
        response.set_cookie(
            _UNDER_WAY, json.dumps([state, verifier]).encode().hex(), max_age=_WHILE, path=f"{PLACE}/session", httponly=True,
            secure=self._desk.secure, samesite="lax",
        )  # fmt: skip
        return response

    async def end(self, request: Request) -> Response:
        """Back from there, with a code."""
        if self._desk.login is None:
            raise NotFound("nobody signs in here but with a token")
        state, verifier = _under_way(request.cookies.get(_UNDER_WAY, ""))
        said = request.query_params
        if not state or not secrets.compare_digest(said.get("state", "").encode(), state.encode()):
            raise BadRequest("this does not belong to a sign-in that was begun here", fix="begin again")
        if "code" not in said:
            raise Unauthorized("signing in was not completed", fix="begin again")
        token = await self._desk.login.exchange(said["code"], verifier, self._back)
        await proved(self._desk, token)
        response = remember(_onwards(), self._desk, token, _KEPT)
        response.delete_cookie(_UNDER_WAY, path=f"{PLACE}/session", secure=self._desk.secure, httponly=True, samesite="lax")
        return response

    @property
    def _back(self) -> str:
        return f"{self._desk.url}{PLACE}/session/back"

    async def _page(self, request: Request, problem: str = "", status: int = 200) -> Response:
        visiting = await visit(self._desk, request)
        content = self._room.rendered("session.html", visiting, client=visiting.client, problem=problem)
        parts = urlsplit(self._desk.url)
        return answer(request, page(content), status, leads_to=f"{parts.scheme}://{parts.netloc}")


def _home() -> Response:
    return RedirectResponse(PLACE, 303, security_headers() | {"Cache-Control": "no-store"})


def _onwards() -> Response:
    """A page that leads on: a redirect from elsewhere would not carry the cookie that is strictly for our own pages."""
    content = (
        f'<!doctype html><meta http-equiv="refresh" content="0;url={PLACE}"><title>Signed in</title><a href="{PLACE}">Go on</a>'
    )
    return Response(content, headers=security_headers() | {"Cache-Control": "no-store"}, media_type="text/html")


def _under_way(kept: str) -> tuple[str, str]:
    try:
        state, verifier = json.loads(bytes.fromhex(kept))
        return str(state), str(verifier)
    except ValueError:
        return "", ""
