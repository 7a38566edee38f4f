"""Who reads is proved each time; a token is kept where scripts and other sites do not reach it."""

import re
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.console.conftest import URL, Codes

HOME = "/catalog/session"
OWN = {"Sec-Fetch-Site": "same-origin", "Origin": URL}


async def test_a_pasted_token_signs_in(visitor):
    async with visitor() as browser:
        answer = await browser.post(HOME, data={"token": " Bearer partner "}, headers=OWN)
        listed = (await browser.get("/catalog")).text

    assert answer.status_code == 303
    assert all(said in answer.headers["set-cookie"] for said in ("HttpOnly", "SameSite=strict", "Path=/catalog"))
    assert "process/quotes/v1" in listed
    assert "Signed in" in listed


async def test_over_tls_the_cookie_is_for_tls_alone(visitor):
    answer = await visitor(url="https://gateway.test").post(
        HOME, data={"token": "partner"}, headers={"Sec-Fetch-Site": "same-origin"}
    )

    assert "Secure" in answer.headers["set-cookie"]


@pytest.mark.parametrize("token", ["nobody", "", "x" * 5000, "pärtner"])
async def test_a_bad_token_signs_nobody_in(visitor, token):
    answer = await visitor().post(HOME, data={"token": token}, headers=OWN)

    assert answer.status_code == 401
    assert "set-cookie" not in answer.headers
    assert not token or token not in answer.text


async def test_a_bad_token_in_the_header_is_refused(visitor):
    assert (await visitor("nobody").get("/catalog")).status_code == 401


async def test_a_token_that_ends_leaves_an_anonymous_reader(visitor):
    answer = await visitor().get("/catalog", headers={"Cookie": "trivium_catalog=nobody"})

    assert answer.status_code == 200
    assert "Max-Age=0" in answer.headers["set-cookie"]


@pytest.mark.parametrize("place", [HOME, f"{HOME}/end", f"{HOME}/sandbox"])
@pytest.mark.parametrize("headers", [{"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}, {"Origin": "null"}])
async def test_no_other_site_signs_in_or_out(visitor, place, headers):
    answer = await visitor(sandbox=True).post(place, data={"token": "ours"}, headers=headers)

    assert answer.status_code == 403
    assert "set-cookie" not in answer.headers


async def test_signing_out_forgets(visitor):
    async with visitor() as browser:
        await browser.post(HOME, data={"token": "ours"}, headers=OWN)
        await browser.post(f"{HOME}/end", headers=OWN)
        listed = (await browser.get("/catalog")).text

    assert "process/quotes/v1" not in listed


async def test_a_sandbox_gives_tokens_and_nothing_else_does(visitor):
    json = {**OWN, "Accept": "application/json"}
    given, refused = (
        await visitor(sandbox=True).post(f"{HOME}/sandbox", headers=json),
        await visitor().post(f"{HOME}/sandbox", headers=json),
    )

    assert given.json()["access_token"] == "sandbox"
    assert given.headers["cache-control"] == "no-store"
    assert refused.status_code == 404


async def test_an_open_catalog_shows_everything_to_anybody(visitor):
    assert "audit_margins" in (await visitor(open=True).get("/catalog/apis/process/quotes/v1")).text


async def begun(browser):
    answer = await browser.get(f"{HOME}/login")
    return {name: values[0] for name, values in parse_qs(urlsplit(answer.headers["location"]).query).items()}


async def test_somebody_signs_in_at_the_authorization_server(visitor):
    codes = Codes()
    async with visitor(codes=codes) as browser:
        asked = await begun(browser)
        back = await browser.get(f"{HOME}/back", params={"code": "good", "state": asked["state"]})
        listed = (await browser.get("/catalog")).text

    assert asked["code_challenge_method"] == "S256"
    assert asked["redirect_uri"] == f"{URL}/catalog/session/back"
    assert back.status_code == 200
    assert re.search(r"process/quotes/v1", listed)
    assert codes.asked[0][2] == asked["redirect_uri"]


@pytest.mark.parametrize("said", [{"code": "good"}, {"code": "good", "state": "forged"}])
async def test_a_code_that_somebody_else_began_is_not_taken(visitor, said):
    codes = Codes()
    async with visitor(codes=codes) as browser:
        await begun(browser)
        answer = await browser.get(f"{HOME}/back", params=said)

    assert answer.status_code == 400
    assert codes.asked == []


async def test_a_bad_code_signs_nobody_in(visitor):
    async with visitor(codes=Codes()) as browser:
        asked = await begun(browser)
        answer = await browser.get(f"{HOME}/back", params={"code": "bad", "state": asked["state"]})

    assert answer.status_code == 401
    assert "trivium_catalog=" not in answer.headers.get("set-cookie", "")
