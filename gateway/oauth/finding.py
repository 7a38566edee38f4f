"""What Authlib will be asked, with everything it needs from the database; an unproved client makes us look up nothing else."""

from collections.abc import Mapping

from starlette.requests import Request as HttpRequest

from gateway.oauth.authorizations import Authorization
from gateway.oauth.claims import Proof
from gateway.oauth.client_proof import prove_client
from gateway.oauth.client_rules import CODE, EXCHANGE, REFRESH
from gateway.oauth.jws import Malformed
from gateway.oauth.metadata import TOKEN
from gateway.oauth.request import Found, Request
from gateway.oauth.server import AuthorizationServer


async def asked(server: AuthorizationServer, request: HttpRequest, path: str) -> Request:
    """The request of a form and credentials that were read before."""
    form = request.state.form
    proved = await prove_client(server, request, form, issues=path == TOKEN)
    found = None
    if proved is not None:
        found = await (_granting(server, form) if path == TOKEN else _held(server, form))
    return Request(server.names.issuer + path, form, proved, found)


async def _granting(server: AuthorizationServer, form: Mapping[str, str]) -> Found:
    await server.trust.current()  # so that no key signs that others have forgotten already
    match form.get("grant_type"):
        case grant if grant == CODE and "code" in form:
            return await _with_user(server, await server.authorizations.by_code(form["code"]))
        case grant if grant == REFRESH and "refresh_token" in form:
            return await _with_user(server, await server.authorizations.by_refresh(form["refresh_token"]))
        case grant if grant == EXCHANGE and "subject_token" in form:
            return Found(token=await _proof(server, form["subject_token"]))
        case _:
            return Found()


async def _held(server: AuthorizationServer, form: Mapping[str, str]) -> Found:
    if "token" not in form:
        return Found()
    token = form["token"]
    authorization = await server.authorizations.by_refresh(token)
    return Found(authorization=authorization) if authorization else Found(token=await _proof(server, token))


async def _with_user(server: AuthorizationServer, authorization: Authorization | None) -> Found:
    if authorization is None:
        return Found()
    return Found(authorization=authorization, user=await server.users.find(authorization.user_id))


async def _proof(server: AuthorizationServer, token: str) -> Proof | None:
    try:
        return await server.verifier.prove(token.encode())
    except Malformed:
        return None
