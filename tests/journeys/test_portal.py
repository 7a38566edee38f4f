"""Somebody signs in at a running gateway, lets a portal act for them, and takes it back: over HTTP, through the whole door."""

import asyncio
import base64
import hashlib
import re
import secrets
from html import unescape
from time import monotonic
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

pytestmark = pytest.mark.slow
BACK = "http://127.0.0.1:7777/back"
PASSWORD = "correct horse battery"
ORDERS = "/process/orders/v1/orders"


async def submitted(browser: httpx.AsyncClient, page: httpx.Response, **fields: str) -> httpx.Response:
    action = unescape(re.search(r'action="([^"]+)"', page.text)[1])
    form_token = re.search(r'name="form_token" value="(\w+)"', page.text)[1]
    return await browser.post(page.url.join(action), data={"form_token": form_token, **fields})


async def registered(deployment) -> str:
    code, said = await deployment.run("users", "add", "ann", "--scope", "orders:read", "--password", PASSWORD)
    assert code == 0, said
    grants = ["--grant", "authorization_code", "--grant", "refresh_token"]
    code, said = await deployment.run(
        "clients", "add", "portal", "--scope", "orders:read", "--method", "none", "--redirect", BACK, *grants
    )
    assert code == 0, said
    return re.search(r"tvc_\w+", said)[0]


async def test_a_person_lets_a_portal_act_for_them_and_takes_it_back(deploy) -> None:
    deployment = deploy()
    client_id = await registered(deployment)
    await deployment.start_sandbox()
    await deployment.start_gateway()
    verifier = secrets.token_urlsafe(40)
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    question = {
        "response_type": "code", "client_id": client_id, "redirect_uri": BACK, "state": "xyz",
        "code_challenge": challenge, "code_challenge_method": "S256",
    }  # fmt: skip
    async with httpx.AsyncClient(base_url=deployment.url, trust_env=False, follow_redirects=False) as http:
        page = await http.get("/oauth/authorize", params=question)
        again = await submitted(http, page, username="ann", password=PASSWORD)
        consent = await http.get(again.url.join(again.headers["location"]))
        sent_back = await submitted(http, consent, answer="allow", **{"scope.orders:read": "yes"})
        back = {name: values[0] for name, values in parse_qs(urlsplit(sent_back.headers["location"]).query).items()}
        form = {"grant_type": "authorization_code", "code": back["code"], "redirect_uri": BACK, "code_verifier": verifier}
        tokens = (await http.post("/oauth/token", data={**form, "client_id": client_id})).json()
        said = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"], "client_id": client_id}
        newer = (await http.post("/oauth/token", data=said)).json()
        allowed = await http.get(ORDERS, headers={"Authorization": f"Bearer {newer['access_token']}"})
        closed = await deployment.run("users", "close", "ann")
        refused = await _until_refused(http, newer["access_token"])

    assert page.status_code == consent.status_code == 200
    assert page.headers["content-security-policy"].startswith("default-src 'none'")
    assert (back["state"], back["iss"]) == ("xyz", deployment.url)
    assert allowed.status_code == 200, allowed.text
    assert closed[0] == 0
    assert refused.status_code == 401


async def _until_refused(http: httpx.AsyncClient, token: str) -> httpx.Response:
    """The first refusal, or the last answer of the second that a revocation may take."""
    ends = monotonic() + 1
    while True:
        answer = await http.get(ORDERS, headers={"Authorization": f"Bearer {token}"})
        if answer.status_code != 200 or monotonic() > ends:
            return answer
        await asyncio.sleep(0.05)
