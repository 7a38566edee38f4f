"""A portal and the person in front of it: what a browser does, without scripts, and what the application behind it does."""

import base64
import hashlib
import json
import re
import secrets
from html import unescape
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx

from gateway.oauth.app import oauth_app
from gateway.oauth.authorizations import Consent
from gateway.oauth.client_rules import CODE, EXCHANGE, REFRESH
from gateway.oauth.clients import Details, NewClient
from gateway.oauth.server import AuthorizationServer
from gateway.oauth.tables import users
from gateway.oauth.users import User, user_of
from kernel.db import Database

ISSUER = "https://api.example.test"
BACK = "https://portal.example.test/back"
PASSWORD = "correct horse battery"
SCOPES = ["orders:read", "quotes:read", "quotes:write"]
PUBLIC = Details(grants=(CODE, REFRESH), auth_method="none", redirect_uris=(BACK,))
PORTAL = Details(grants=(CODE, REFRESH), redirect_uris=(BACK, "https://portal.example.test/other?x=1"))
EXCHANGING = Details(grants=(EXCHANGE,))


class Portal:
    """One application, and one browser with its cookies, at one process of the server."""

    def __init__(
        self,
        server: AuthorizationServer,
        client: NewClient,
        app: Any = None,
        address: str = "192.0.2.1",
        user: User | None = None,
    ) -> None:
        self.server, self.user = server, user
        transport = httpx.ASGITransport(app or oauth_app(server, scopes=SCOPES), client=(address, 1))
        self.client, self.http = client, httpx.AsyncClient(transport=transport, base_url=ISSUER)
        self.verifier = secrets.token_urlsafe(40)

    def question(self, **changed: str | None) -> dict[str, str]:
        challenge = base64.urlsafe_b64encode(hashlib.sha256(self.verifier.encode()).digest()).rstrip(b"=").decode()
        said = {
            "response_type": "code", "client_id": self.client.client_id, "redirect_uri": BACK, "scope": "quotes:read",
            "state": "a state/ü"[:8], "code_challenge": challenge, "code_challenge_method": "S256", **changed,
        }  # fmt: skip
        return {name: value for name, value in said.items() if value is not None}

    async def open(self, **changed: str | None) -> httpx.Response:
        return await self.http.get("/oauth/authorize", params=self.question(**changed))

    async def sign_in(self, page: httpx.Response, name: str = "ann", password: str = PASSWORD) -> httpx.Response:
        """Posts the sign-in form; answers the consent page, or the page that says no."""
        answer = await self.post(page, username=name, password=password)
        return await self.follow(answer)

    async def post(self, page: httpx.Response, **fields: str) -> httpx.Response:
        """Fills in the form of a page and sends it where the page says."""
        action = unescape(re.search(r'<form method="post" action="([^"]+)"', page.text)[1])  # type: ignore[index]
        hidden = {name: unescape(value) for name, value in re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', page.text)}
        return await self.http.post(page.url.join(action), data=hidden | fields, headers={"Sec-Fetch-Site": "same-origin"})

    async def follow(self, answer: httpx.Response) -> httpx.Response:
        return await self.http.get(answer.url.join(answer.headers["location"])) if answer.status_code == 303 else answer

    async def consent(self, page: httpx.Response, answer: str = "allow", leave_out: str = "") -> dict[str, str]:
        """Answers the consent page; the parameters that come back to the application."""
        boxes = {f"scope.{scope}": "yes" for scope in re.findall(r'name="scope\.([^"]+)"', page.text) if scope != leave_out}
        return told(await self.post(page, answer=answer, **boxes))

    async def code(self, **changed: str | None) -> str:
        """The code after everything went well; of the portal's `user`, if it has one, without the pages, for they take time."""
        if self.user is not None:
            said, now = self.question(**changed), self.server.authorizations.now()
            scopes, challenge = said["scope"].split(), said["code_challenge"]
            consent = Consent(self.client.client_id, self.user.id, scopes, said["redirect_uri"], challenge, now)
            return await self.server.authorizations.begin(consent)
        return (await self.consent(await self.sign_in(await self.open(**changed))))["code"]

    async def redeem(self, code: str, changed: dict[str, str | None] | None = None) -> httpx.Response:
        form = {"grant_type": CODE, "code": code, "redirect_uri": BACK, "code_verifier": self.verifier, **(changed or {})}
        return await self.token({name: value for name, value in form.items() if value is not None})

    async def refresh(self, token: str, **changed: str) -> httpx.Response:
        return await self.token({"grant_type": REFRESH, "refresh_token": token, **changed})

    async def token(self, form: dict[str, str], headers: dict[str, str] | None = None) -> httpx.Response:
        return await self.ask("/oauth/token", form, headers)

    async def ask(self, path: str, form: dict[str, str], headers: dict[str, str] | None = None) -> httpx.Response:
        if not self.client.secret:
            return await self.http.post(path, data={"client_id": self.client.client_id, **form}, headers=headers)
        return await self.http.post(path, data=form, auth=tuple(self.client), headers=headers)

    async def tokens(self, **changed: str | None) -> dict[str, Any]:
        """The token answer after everything went well."""
        answer = await self.redeem(await self.code(**changed))
        assert answer.status_code == 200, answer.text
        return dict(answer.json())


async def somebody(database: Database, name: str = "ann", accounts: list[str] | None = None) -> User:
    """A user whose password nobody knows: hashing one takes time."""
    row = {
        "id": f"tvu_{secrets.token_hex(10)}", "name": name, "salt": b"s" * 16, "digest": b"d" * 32, "scopes": " ".join(SCOPES),
        "accounts": None if accounts is None else json.dumps(accounts), "active": True, "created_at": 0,
    }  # fmt: skip
    async with database.transaction() as connection:
        made = await connection.execute(users.insert().values(**row).returning(users))
        return user_of(made.one())


def told(answer: httpx.Response) -> dict[str, str]:
    """What a redirect to the application says."""
    assert answer.status_code == 303, answer.text
    place = urlsplit(answer.headers["location"])
    assert f"{place.scheme}://{place.netloc}{place.path}" == BACK
    return {name: values[0] for name, values in parse_qs(place.query, strict_parsing=True).items()}


def claims(token: str) -> dict[str, Any]:
    part = token.split(".")[1]
    return dict(json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))))
