"""Whoever is sent to the authorization endpoint signs in, sees what is asked, and is sent back where the client registered."""

import re

import pytest
from authlib.integrations.httpx_client import AsyncOAuth2Client

from gateway.oauth.app import oauth_app
from gateway.oauth.clients import Details
from gateway.oauth.rates import Rates
from tests.gateway.oauth.portal import BACK, ISSUER, PASSWORD, PORTAL, PUBLIC, SCOPES, Portal, claims, told

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


@pytest.fixture
async def visitor(server):
    """The portal, and nobody who could sign in."""
    made = await server.clients.add("Sales <portal>", SCOPES, plan="gold", accounts=["crm/2", "crm/3"], details=PORTAL)
    return Portal(server, made)


@pytest.fixture
async def portal(server, visitor):
    await server.users.add("Ann", PASSWORD, ["orders:read", "quotes:read"], accounts=["crm/1", "crm/2"], partner="acme")
    return visitor


async def test_a_user_lets_a_portal_act_for_them(portal, server, clock) -> None:
    page = await portal.open(scope="quotes:read orders:read")
    consent = await portal.sign_in(page)
    back = await portal.consent(consent)
    answer = await portal.redeem(back["code"])
    said = claims(answer.json()["access_token"])

    assert "Sign in" in page.text
    assert "Sales &lt;portal&gt;" in page.text
    assert "Read quotes" in consent.text
    assert (back["state"], back["iss"]) == ("a state/", ISSUER)
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    assert answer.json()["scope"] == "quotes:read orders:read"
    assert said["sub"].startswith("tvu_")
    assert said["client_id"] == portal.client.client_id
    assert (said["plan"], said["accounts"], said["partner"]) == ("gold", ["crm/2"], "acme")
    assert said["auth_time"] == int(clock.now().timestamp())
    assert (await server.verifier.verify(answer.json()["access_token"].encode())).subject == said["sub"]


async def test_a_client_library_walks_the_same_way(server, portal) -> None:
    public = await server.clients.add("app", ["quotes:read"], details=PUBLIC)
    library = AsyncOAuth2Client(
        public.client_id, redirect_uri=BACK, scope="quotes:read", code_challenge_method="S256",
        transport=portal.http._transport, token_endpoint_auth_method="none",
    )  # fmt: skip
    async with library:
        address, state = library.create_authorization_url(f"{ISSUER}/oauth/authorize", code_verifier=portal.verifier)
        consent = await portal.sign_in(await portal.http.get(address))
        answer = await portal.post(consent, answer="allow", **{"scope.quotes:read": "yes"})
        location = answer.headers["location"]
        token = await library.fetch_token(
            f"{ISSUER}/oauth/token", authorization_response=location, state=state, code_verifier=portal.verifier
        )
        again = await library.refresh_token(f"{ISSUER}/oauth/token")

    assert token["scope"] == again["scope"] == "quotes:read"
    assert token["refresh_token"] != again["refresh_token"]


@pytest.mark.parametrize(
    "changed",
    [
        {"redirect_uri": "https://evil.example.test/back"}, {"redirect_uri": BACK + "/"}, {"redirect_uri": BACK + "?a=b"},
        {"redirect_uri": BACK.upper()}, {"redirect_uri": None}, {"redirect_uri": "javascript:alert(1)"},
        {"redirect_uri": 'https://portal.example.test/"<script>'}, {"redirect_uri": BACK + "#x"},
        {"client_id": "tvc_nobody"}, {"client_id": None}, {"client_id": "'; drop table"},
        {"redirect_uri": "https://evil.example.test/back", "response_type": "token"},
        {"redirect_uri": "https://evil.example.test/back", "scope": "quotes:nonsense"},
        {"state": "x" * 3000}, {"state": "\u00e9"}, {"response_type": 'co"de'},
    ],
)  # fmt: skip
async def test_nobody_is_sent_to_an_address_that_is_not_the_clients(visitor, changed) -> None:
    answer = await visitor.open(**changed)

    assert answer.status_code == 400
    assert "location" not in answer.headers
    assert answer.headers["content-type"].startswith("text/html")
    assert "<script>" not in answer.text


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"response_type": "token"}, "unsupported_response_type"), ({"response_type": "code token"}, "unsupported_response_type"),
        ({"scope": "quotes:nonsense"}, "invalid_scope"), ({"scope": "quotes:read billing:write"}, "invalid_scope"),
        ({"code_challenge": None}, "invalid_request"),
        ({"code_challenge": None, "code_challenge_method": None}, "invalid_request"),
        ({"code_challenge_method": None}, "invalid_request"), ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge": "short"}, "invalid_request"), ({"code_challenge": "a" * 44}, "invalid_request"),
        ({"code_challenge": "a" * 43 + "\n"}, None),
    ],
)  # fmt: skip
async def test_the_application_is_told_what_is_wrong_with_its_question(visitor, changed, error) -> None:
    answer = await visitor.open(**changed)

    if error is None:
        assert answer.status_code == 400
        return
    back = told(answer)
    assert (back["error"], back["state"], back["iss"]) == (error, "a state/", ISSUER)
    assert "code" not in back


async def test_a_client_without_the_grant_is_told_so(server, visitor) -> None:
    machine = await server.clients.add("machine", SCOPES, details=Details(redirect_uris=(BACK,)))
    back = told(await visitor.open(client_id=machine.client_id))

    assert back["error"] == "unauthorized_client"


@pytest.mark.parametrize("name", ["client_id", "redirect_uri", "state", "scope", "response_type", "code_challenge"])
async def test_a_question_that_could_be_read_in_two_ways_is_not_answered(visitor, name) -> None:
    question = visitor.question()
    answer = await visitor.http.get("/oauth/authorize", params=[*question.items(), (name, question[name])])

    assert answer.status_code == 400
    assert "location" not in answer.headers


async def test_a_wrong_password_an_unknown_and_a_closed_user_are_told_the_same(portal, server) -> None:
    await server.users.add("bob", PASSWORD, ["quotes:read"])
    await server.users.close("bob")
    page = await portal.open()
    answers = [
        await portal.post(page, username=name, password=password)
        for name, password in (("ann", "wrong password"), ("nobody", PASSWORD), ("bob", PASSWORD), ("ann", ""))
    ]
    said = {re.sub(r'value="(ann|bob|nobody)"', "", answer.text) for answer in answers}

    assert len(said) == 1
    assert "User name or password is wrong." in said.pop()
    assert {answer.status_code for answer in answers} == {403}


@pytest.mark.parametrize("typed", ["ann", "ANN", " Ann ", "\uff21nn"])
async def test_a_name_is_the_same_however_it_is_typed(portal, typed) -> None:
    assert "Allow" in (await portal.sign_in(await portal.open(), typed)).text


async def test_a_user_may_grant_less_than_is_asked_and_never_more_than_they_have(portal) -> None:
    page = await portal.sign_in(await portal.open(scope="quotes:read orders:read quotes:write"))
    back = await portal.consent(page, leave_out="quotes:read")
    answer = await portal.redeem(back["code"])

    assert "quotes:write" not in page.text.partition("<form")[2].partition("</fieldset>")[0]
    assert answer.json()["scope"] == "orders:read"


async def test_a_box_that_was_not_shown_grants_nothing(portal) -> None:
    page = await portal.sign_in(await portal.open(scope="quotes:read quotes:write"))
    back = told(await portal.post(page, answer="allow", **{"scope.quotes:read": "yes", "scope.quotes:write": "yes"}))

    assert (await portal.redeem(back["code"])).json()["scope"] == "quotes:read"


@pytest.mark.parametrize("answer", ["deny", "", "anything"])
async def test_who_does_not_say_yes_has_said_no(portal, answer) -> None:
    back = await portal.consent(await portal.sign_in(await portal.open()), answer)

    assert (back["error"], back["state"], back["iss"]) == ("access_denied", "a state/", ISSUER)


async def test_yes_to_nothing_is_no_and_so_is_a_user_who_may_grant_none_of_it(portal, server) -> None:
    nothing = await portal.consent(await portal.sign_in(await portal.open()), leave_out="quotes:read")
    page = await portal.post(await portal.open(scope="quotes:write"), username="ann", password=PASSWORD)
    useless = told(await portal.follow(page))

    assert nothing["error"] == useless["error"] == "access_denied"


async def test_the_pages_load_nothing_and_cannot_be_framed(portal) -> None:
    login = await portal.open()
    consent = await portal.sign_in(login)
    for page in (login, consent):
        policy = page.headers["content-security-policy"]

        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert page.headers["x-frame-options"] == "DENY"
        assert page.headers["cache-control"] == "no-store"
        assert "<script" not in page.text
        assert not re.search(r'(src|href|action)="(https?:)?//', page.text)
        assert set(re.findall(r'<input type="(?:text|password)" id="(\w+)"', page.text)) == set(
            re.findall(r'<label for="(\w+)"', page.text)
        )
    assert "form-action 'self' https://portal.example.test;" in consent.headers["content-security-policy"]
    assert "form-action 'self';" in login.headers["content-security-policy"]


async def test_the_cookie_is_out_of_reach_of_scripts_and_of_other_sites(visitor) -> None:
    cookie = (await visitor.open()).headers["set-cookie"]

    assert cookie.startswith("__Host-trivium=")
    assert {"HttpOnly", "Secure", "SameSite=strict", "Path=/"} <= set(cookie.split("; "))


async def test_signing_in_changes_the_cookie_so_that_one_planted_before_is_worth_nothing(portal) -> None:
    page = await portal.open()
    planted = portal.http.cookies["__Host-trivium"]
    await portal.sign_in(page)
    mine = portal.http.cookies["__Host-trivium"]
    portal.http.cookies.clear()
    portal.http.cookies.set("__Host-trivium", planted)

    assert mine != planted
    assert "Password" in (await portal.open()).text


async def test_a_form_that_we_did_not_show_to_this_browser_does_nothing(portal, server) -> None:
    page = await portal.open()
    stranger = Portal(server, portal.client)
    strangers_page = await stranger.open()
    query = portal.question()
    sign_in, elsewhere = {"username": "ann", "password": PASSWORD}, {"Sec-Fetch-Site": "cross-site"}
    forged = [
        await portal.http.post("/oauth/login", params=query, data=sign_in),
        await portal.http.post("/oauth/login", params=query, data={**sign_in, "form_token": "0" * 64}),
        await portal.http.post("/oauth/login", params=query, data={**sign_in, "form_token": "\u00e9"}),
        await portal.http.post("/oauth/login", params=query, data={**sign_in, "form_token": _form_token(strangers_page)}),
        await portal.http.post("/oauth/login", params=query, data=sign_in | {"form_token": _form_token(page)}, headers=elsewhere),
    ]

    assert [answer.status_code for answer in forged] == [403] * 5


async def test_consent_cannot_be_forged_either(portal) -> None:
    consent = await portal.sign_in(await portal.open())
    yes = {"answer": "allow", "scope.quotes:read": "yes"}
    forged = await portal.http.post("/oauth/authorize", params=portal.question(), data=yes)
    real = await portal.consent(consent)

    assert forged.status_code == 403
    assert "location" not in forged.headers
    assert "code" in real


async def test_a_session_is_good_for_one_decision_and_ten_minutes(portal, clock) -> None:
    consent = await portal.sign_in(await portal.open())
    await portal.consent(consent)
    twice = await portal.post(consent, answer="allow", **{"scope.quotes:read": "yes"})
    late = await portal.sign_in(await portal.open())
    clock.pass_seconds(601)
    too_late = await portal.post(late, answer="allow", **{"scope.quotes:read": "yes"})

    assert (twice.status_code, too_late.status_code) == (403, 403)
    assert "Password" in twice.text


async def test_somebody_else_can_sign_in_instead(portal) -> None:
    consent = await portal.sign_in(await portal.open())
    page = await portal.follow(await portal.post(consent, answer="leave"))

    assert "Password" in page.text


async def test_a_user_closed_between_the_pages_grants_nothing(portal, server) -> None:
    consent = await portal.sign_in(await portal.open())
    await server.users.close("ann")
    answer = await portal.post(consent, answer="allow", **{"scope.quotes:read": "yes"})

    assert answer.status_code == 403


async def test_any_process_can_take_the_next_step(portal, open_process) -> None:
    other = Portal(await open_process(), portal.client)
    consent = await portal.sign_in(await portal.open())
    other.http.cookies, other.verifier = portal.http.cookies, portal.verifier
    back = await other.consent(consent)

    assert (await portal.redeem(back["code"])).status_code == 200


async def test_guessing_a_password_is_stopped_per_name_from_whatever_address(server, visitor, caplog) -> None:
    app = oauth_app(server, rates=Rates(user="2/minute"))
    statuses = []
    for number in range(3):
        guesser = Portal(server, visitor.client, app, f"192.0.2.{number}")
        statuses.append((await guesser.post(await guesser.open(), username="Ann ", password="a guess")).status_code)
    other = Portal(server, visitor.client, app, "192.0.2.9")
    elsewhere = await other.post(await other.open(), username="bob", password="a guess")

    assert statuses == [403, 403, 429]
    assert elsewhere.status_code == 403
    assert "ann" not in caplog.text.lower()


async def test_guessing_names_is_stopped_per_address_with_a_page_that_says_how_long(server, visitor) -> None:
    guesser = Portal(server, visitor.client, oauth_app(server, rates=Rates(visitor="2/minute")))
    page = await guesser.open()
    answers = [await guesser.post(page, username=f"user{number}", password="a guess") for number in range(3)]

    assert [answer.status_code for answer in answers] == [403, 403, 429]
    assert 1 <= int(answers[-1].headers["retry-after"]) <= 60
    assert "Too many tries" in answers[-1].text


async def test_neither_passwords_nor_codes_nor_tokens_are_logged(portal, caplog) -> None:
    caplog.set_level("DEBUG")
    code = await portal.code()
    tokens = (await portal.redeem(code)).json()
    again = (await portal.refresh(tokens["refresh_token"])).json()
    logged = "\n".join(record.getMessage() for record in caplog.records if record.name.split(".")[0] != "httpx")

    assert PASSWORD not in logged
    for secret in (tokens["access_token"], tokens["refresh_token"], again["access_token"], again["refresh_token"]):
        assert secret not in logged


def _form_token(page) -> str:
    return re.search(r'name="form_token" value="(\w+)"', page.text)[1]
