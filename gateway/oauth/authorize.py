"""The authorization endpoint: who is sent here signs in, sees what is asked, and is sent back only where the client registered.

Authlib judges the request (RFC 6749 section 4.1.1); an error is redirected only once client and redirect URI are known to belong
together, and shown to the person here otherwise (section 4.1.2.1).
"""

# mypy: allow-untyped-calls
# (Authlib has no annotations.)
import re
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from authlib.oauth2 import OAuth2Error
from authlib.oauth2.rfc6749 import InvalidRequestError
from starlette.requests import Request as HttpRequest
from starlette.responses import RedirectResponse, Response

from gateway.oauth.authorizations import Consent
from gateway.oauth.clients import Client
from gateway.oauth.metadata import AUTHORIZE
from gateway.oauth.page import page, refused
from gateway.oauth.protocol import Protocol
from gateway.oauth.request import Request
from gateway.oauth.server import AuthorizationServer
from gateway.oauth.sessions import Browser, Session
from gateway.oauth.users import User

_MOST_FIELDS = 32
_PRINTABLE = re.compile(r"[\x20-\x7e]{0,2000}", re.ASCII)  # RFC 6749 appendix A: VSCHAR and space
_PLAIN = re.compile(r'[^"\\]*', re.ASCII)  # what Authlib repeats in a description, where these two may not be
_WRONG = "User name or password is wrong."
_EXPIRED = "The page was open for too long. Please sign in again."


class Asked:
    """A request that Authlib found in order."""

    def __init__(self, protocol: Protocol, request: Request, grant: Any) -> None:
        self.protocol, self.request, self._grant = protocol, request, grant
        self.client: Client = grant.request.client
        self.redirect_uri: str = grant.redirect_uri

    def open_to(self, user: User) -> list[str]:
        """The scopes that are asked for and that this user may grant."""
        return [scope for scope in self.request.scope.split(" ") if scope in user.scopes]

    def answer(self, user: User | None) -> Response:
        """Back to the client, with the code of `request`, or with access_denied where nobody granted anything."""
        response: Response = self.protocol.create_authorization_response(self.request, grant_user=user, grant=self._grant)
        return response


class AuthorizationEndpoint:
    """The pages behind /oauth/authorize and /oauth/login."""

    def __init__(self, server: AuthorizationServer, protocol: Protocol) -> None:
        self._server, self._protocol = server, protocol
        self._secure = server.names.issuer.startswith("https:")

    async def show(self, request: HttpRequest) -> Response:
        """The consent page for whoever is signed in, the sign-in page for everybody else."""
        asked = await self._asked(request)
        if isinstance(asked, Response):
            return asked
        browser = self._browser(request)
        session = await self._server.sessions.find(browser)
        return self._login(request, asked, browser) if session is None else _consent(request, asked, browser, session.user)

    async def sign_in(self, request: HttpRequest) -> Response:
        asked = await self._asked(request)
        if isinstance(asked, Response):
            return asked
        browser, form = self._browser(request), request.state.form
        name = form.get("username", "")
        if not _is_ours(request, browser):
            return self._login(request, asked, browser, name, _EXPIRED)
        user = await self._server.users.prove(name, form.get("password", ""))
        if user is None:
            return self._login(request, asked, browser, name, _WRONG)
        browser.renew()
        await self._server.sessions.begin(browser, user)
        return browser.keep(_again(request))

    async def decide(self, request: HttpRequest) -> Response:
        """What the person answered on the consent page."""
        asked = await self._asked(request)
        if isinstance(asked, Response):
            return asked
        browser = self._browser(request)
        session = await self._server.sessions.find(browser)
        if session is None or not _is_ours(request, browser):
            return self._login(request, asked, browser, problem=_EXPIRED)
        await self._server.sessions.end(browser)  # one sign-in, one decision
        answer = request.state.form.get("answer")
        if answer == "leave":
            return browser.drop(_again(request))
        return browser.drop(await self._answered(request, asked, session, allowed=answer == "allow"))

    async def _answered(self, request: HttpRequest, asked: Asked, session: Session, *, allowed: bool) -> Response:
        form, user = request.state.form, session.user
        scopes = [scope for scope in asked.open_to(user) if f"scope.{scope}" in form]
        if not allowed or not scopes:
            return asked.answer(None)
        challenge = asked.request.form["code_challenge"]
        consent = Consent(asked.client.id, user.id, scopes, asked.redirect_uri, challenge, session.began_at)
        asked.request.code = await self._server.authorizations.begin(consent)
        return asked.answer(user)

    async def _asked(self, request: HttpRequest) -> Asked | Response:
        """The request, or what to answer to one that is not in order."""
        try:
            said = _parameters(request)
            protocol = self._protocol.knowing(await self._server.clients.find(said.get("client_id", "")))
            asking = Request(self._server.names.issuer + AUTHORIZE, said, None, method="GET")
            grant = protocol.get_consent_grant(asking)
        except OAuth2Error as error:
            if error.redirect_uri:
                redirect: Response = self._protocol.handle_error_response(None, error)
                return redirect
            why = "The application that sent you here asked in a way that cannot be answered."
            return refused(400, "This does not work", why, f"What to tell its makers: {_told(error)}")
        return Asked(protocol, asking, grant)

    def _browser(self, request: HttpRequest) -> Browser:
        return Browser(request, secure=self._secure)

    def _login(self, request: HttpRequest, asked: Asked, browser: Browser, name: str = "", problem: str = "") -> Response:
        shown = page(
            "login", 403 if problem else 200, client=asked.client.name, query=request.url.query, form_token=browser.form_token,
            username=name[:128], problem=problem,
        )  # fmt: skip
        return browser.keep(shown)


def _consent(request: HttpRequest, asked: Asked, browser: Browser, user: User) -> Response:
    scopes = asked.open_to(user)
    if not scopes:
        return asked.answer(None)
    back = urlsplit(asked.redirect_uri)
    return page(
        "consent", leads_to=asked.redirect_uri, client=asked.client.name, back=back.netloc or f"{back.scheme}:", scopes=scopes,
        user=user.name, query=request.url.query, form_token=browser.form_token,
    )  # fmt: skip


def _again(request: HttpRequest) -> Response:
    """To the authorization endpoint once more, with the same question."""
    return RedirectResponse(f"authorize?{request.url.query}", 303)


def _is_ours(request: HttpRequest, browser: Browser) -> bool:
    """Whether the form that was posted is one that we showed to this browser, and was posted from our page."""
    from_here = request.headers.get("sec-fetch-site", "same-origin") == "same-origin"
    return from_here and browser.sent(request.state.form.get("form_token", ""))


def _parameters(request: HttpRequest) -> dict[str, str]:
    """Raises InvalidRequestError for a question that could be read in two ways (RFC 6749 section 3.1)."""
    try:
        pairs = parse_qsl(request.url.query, keep_blank_values=True, errors="strict", max_num_fields=_MOST_FIELDS)
    except ValueError:
        raise InvalidRequestError("The parameters cannot be read.") from None
    said = {name: value for name, value in pairs if value}
    if len(dict(pairs)) != len(pairs):
        raise InvalidRequestError("A parameter is repeated.")
    if not all(_PRINTABLE.fullmatch(value) for value in said.values()):
        raise InvalidRequestError("A parameter has characters that it may not have, or too many.")
    if not all(_PLAIN.fullmatch(said.get(name, "")) for name in ("redirect_uri", "response_type")):
        raise InvalidRequestError("A parameter has characters that it may not have.")
    return said


def _told(error: OAuth2Error) -> str:
    return f"{error.error}: {error.get_error_description() or 'no description'}"
