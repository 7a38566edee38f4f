"""What the catalog's pages work with in this house: who holds a token, tokens for the sandbox, the limits in force."""

from collections.abc import Awaitable, Callable, Mapping, Sequence

import httpx
from starlette.types import ASGIApp

from console.app import catalog_app
from console.desk import Desk, Holder, Limits, Login, Token
from gateway.library import Library
from gateway.limits.grants import grants
from gateway.oauth.access_token import LIFETIME
from gateway.oauth.metadata import AUTHORIZE, TOKEN
from gateway.oauth.server import AuthorizationServer
from gateway.pipeline import Limit, Operation
from kernel.clock import Clock
from kernel.problem import Unauthorized
from kernel.settings import Settings

TRIED = frozenset({"experience", "process", "system"})  # the layers that a token for the sandbox opens
VISITOR = "catalog-visitor"  # the client that such a token names


def pages_of(desk: Desk) -> ASGIApp:
    return catalog_app(desk)


def desk(
    settings: Settings,
    promised: tuple[Operation, ...],
    oauth: AuthorizationServer,
    clock: Clock,
    library: Library,
    server: ASGIApp,
) -> Desk:
    """What the pages work with; `server` is the authorization server as an application."""
    said, url = settings.catalog, settings.server.url
    opened = {"always": True, "never": False, "sandbox": settings.sandboxed}[said.open]
    login = Login(said.client_id, url + AUTHORIZE, _exchange(server, url, said.client_id)) if said.client_id else None
    return Desk(
        url,
        lambda: library.of(settings, promised, clock.now().date()),
        _prove(oauth),
        open=opened,
        issue=_issue(oauth, clock, promised) if settings.sandboxed and said.sandbox_tokens else None,
        login=login,
        limits=_limits(settings, promised),
    )


def _prove(oauth: AuthorizationServer) -> Callable[[bytes], Awaitable[Holder]]:
    async def prove(token: bytes) -> Holder:
        caller = oauth.verifier.recall(token) or await oauth.verifier.verify(token)
        if caller.confirmation:
            raise Unauthorized("this token is bound to a key, which a page cannot prove", fix="use one that is not")
        standing = oauth.trust.partners.get(caller.partner) if caller.partner else None
        if caller.partner and (standing is None or not standing.allows(caller.issued_at)):
            raise Unauthorized("the partner is suspended")
        return caller

    return prove


def _issue(oauth: AuthorizationServer, clock: Clock, promised: Sequence[Operation]) -> Callable[[], Awaitable[Token]]:
    scopes = tuple(sorted({scope for one in promised if one.layer in TRIED for scope in one.scopes}))

    async def issue() -> Token:
        if oauth.trust.stale(clock.monotonic()):
            await oauth.trust.current()
        return Token(oauth.tokens.issue(VISITOR, scopes), scopes, LIFETIME)

    return issue


def _exchange(server: ASGIApp, url: str, client_id: str) -> Callable[[str, str, str], Awaitable[str]]:
    async def exchange(code: str, verifier: str, back: str) -> str:
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": back, "code_verifier": verifier}
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app=server), base_url=url) as within:
            answer = await within.post(TOKEN, data={**form, "client_id": client_id})
        if answer.status_code != 200:
            raise Unauthorized("the authorization server did not take the code", fix="sign in again")
        return str(answer.json()["access_token"])

    return exchange


def _limits(settings: Settings, promised: Sequence[Operation]) -> Limits:
    granted, known = grants(settings), {(one.method, one.path): one for one in promised}

    def limits(method: str, path: str) -> Mapping[str, Sequence[str]]:
        operation = known.get((method, path))
        if operation is None:
            return {}
        return {plan: [_in_words(one) for one in granted.in_force(operation, plan)] for plan in sorted(granted.plans(operation))}

    return limits


def _in_words(limit: Limit) -> str:
    if limit.kind == "concurrent":
        return f"{limit.policy}: {limit.quota} at once"
    over = f"in {limit.window} s" if limit.window else f"a {limit.kind}"
    return f"{limit.policy}: {limit.quota} calls {over}" + (", measured only" if limit.shadow else "")
