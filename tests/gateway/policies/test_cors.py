"""Browsers learn from the contract who may call what, without a token; a page that is not granted learns nothing."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from gateway.contracts import BadContract
from gateway.policies.cors import Grant
from kernel.sections.door import Cors, Door
from kernel.settings import Settings

ORDERS = "/process/orders/v1/orders"
PORTAL, OTHER = "https://portal.example.com", "https://evil.example"
GRANTED = Cors(origins=(PORTAL,))


def _settings(estate: Cors) -> dict[str, Any]:
    return {"settings": Settings.model_construct(door=Door(cors=estate))}


@pytest.fixture
def granting(build: Callable[..., Any]) -> Any:
    return build(means=_settings(GRANTED))


def _preflight(origin: str, method: str, headers: str = "authorization") -> dict[str, str]:
    return {"origin": origin, "access-control-request-method": method, "access-control-request-headers": headers}


def _named(answer: Any) -> set[str]:
    return {name for name in answer.headers if name.startswith("access-control-")}


async def test_a_preflight_is_answered_from_the_contract_and_reaches_nobody(granting: Any) -> None:
    answer = await granting.ask("OPTIONS", ORDERS, _preflight(PORTAL, "POST"))

    assert (answer.status, answer.body) == (204, b"")
    assert answer.headers["access-control-allow-origin"] == PORTAL
    assert answer.headers["access-control-allow-methods"] == "POST"
    allowed = answer.headers["access-control-allow-headers"].split(", ")
    assert {"authorization", "content-type", "idempotency-key", "x-correlation-id"} <= set(allowed)
    assert answer.headers["access-control-max-age"] == "600"
    assert answer.headers["vary"] == "Origin, Access-Control-Request-Method, Access-Control-Request-Headers"
    assert granting.echo.scopes == []


async def test_headers_are_those_of_the_operation_that_is_asked_about(granting: Any) -> None:
    answer = await granting.ask("OPTIONS", ORDERS, _preflight(PORTAL, "GET"))

    assert "idempotency-key" not in answer.headers["access-control-allow-headers"]


@pytest.mark.parametrize("headers", [_preflight(OTHER, "POST"), _preflight(PORTAL, "DELETE"), _preflight("null", "POST")])
async def test_a_preflight_for_what_is_not_granted_or_not_promised_grants_nothing(granting: Any, headers: dict[str, str]) -> None:
    answer = await granting.ask("OPTIONS", ORDERS, headers)

    assert answer.status == 204
    assert _named(answer) == set()
    assert answer.headers["vary"].startswith("Origin")


async def test_an_answer_names_its_reader_and_shows_what_callers_need(granting: Any) -> None:
    answer = await granting.ask("GET", ORDERS, {"origin": PORTAL})

    assert answer.status == 200
    assert answer.headers["access-control-allow-origin"] == PORTAL
    exposed = set(answer.headers["access-control-expose-headers"].split(", "))
    assert {
        "RateLimit",
        "RateLimit-Policy",
        "Retry-After",
        "Location",
        "Link",
        "ETag",
        "X-Correlation-Id",
        "X-Request-Id",
    } <= exposed
    assert {"Deprecation", "Sunset"} <= exposed
    assert answer.headers["vary"] == "Origin"
    assert "access-control-allow-credentials" not in answer.headers


async def test_a_refused_origin_gets_no_word_of_cors_and_the_call_is_judged_as_ever(granting: Any) -> None:
    answer = await granting.ask("GET", ORDERS, {"origin": OTHER})

    assert answer.status == 200
    assert _named(answer) == set()
    assert answer.headers["vary"] == "Origin"


async def test_a_cache_is_told_even_where_no_page_asked(granting: Any) -> None:
    assert (await granting.ask("GET", ORDERS)).headers["vary"] == "Origin"


@pytest.mark.parametrize(
    ("method", "target", "status"), [("GET", "/nowhere", 404), ("DELETE", ORDERS, 405), ("GET", f"{ORDERS}?limit=x", 422)]
)
async def test_pages_can_read_refusals_too(granting: Any, method: str, target: str, status: int) -> None:
    answer = await granting.ask(method, target, {"origin": PORTAL})

    assert answer.status == status
    assert answer.headers["access-control-allow-origin"] == PORTAL


async def test_a_preflight_of_a_head_that_is_refused_stays_refused(granting: Any) -> None:
    answer = await granting.ask("OPTIONS", ORDERS, [*_preflight(PORTAL, "POST").items(), ("host", "a"), ("host", "b")])

    assert (answer.status, answer.headers["connection"]) == (400, "close")


async def test_without_any_grant_there_is_no_cors(house: Any) -> None:
    preflight = await house.ask("OPTIONS", ORDERS, _preflight(PORTAL, "POST"))
    answer = await house.ask("GET", ORDERS, {"origin": PORTAL})

    assert (preflight.status, _named(preflight), _named(answer)) == (204, set(), set())
    assert "vary" not in answer.headers
    assert preflight.headers["allow"] == "GET, HEAD, OPTIONS, POST"


async def test_credentials_are_for_named_origins(build: Callable[..., Any]) -> None:
    house = build(means=_settings(Cors(origins=(PORTAL,), credentials=True)))
    answer = await house.ask("GET", ORDERS, {"origin": PORTAL})

    assert answer.headers["access-control-allow-credentials"] == "true"
    assert answer.headers["access-control-allow-origin"] == PORTAL
    with pytest.raises(ValidationError, match="named"):
        Cors(origins=("*",), credentials=True)


async def test_everybody_is_a_star_and_needs_no_vary(build: Callable[..., Any]) -> None:
    house = build(means=_settings(Cors(origins=("*",))))
    answer = await house.ask("GET", ORDERS, {"origin": OTHER})

    assert answer.headers["access-control-allow-origin"] == "*"
    assert "vary" not in answer.headers


@pytest.mark.parametrize(("said", "granted"), [({"origins": [OTHER]}, OTHER), ([OTHER], OTHER), (False, None)])
async def test_a_contract_says_otherwise_for_its_own_api(
    build: Callable[..., Any], contract: Callable[..., str], said: Any, granted: str | None
) -> None:
    house = build(contract(lambda document: document["info"].update({"x-trivium-cors": said})), means=_settings(GRANTED))
    answers = {origin: await house.ask("GET", ORDERS, {"origin": origin}) for origin in (PORTAL, OTHER)}

    found = {origin for origin, answer in answers.items() if "access-control-allow-origin" in answer.headers}
    assert found == ({granted} if granted else set())


@pytest.mark.parametrize(
    "said", [{"origins": ["portal.example.com"]}, {"origins": ["*"], "credentials": True}, {"origin": []}, 7]
)
def test_a_contract_that_cannot_mean_it_fails_the_start(
    build: Callable[..., Any], contract: Callable[..., str], said: Any
) -> None:
    with pytest.raises(BadContract, match="x-trivium-cors"):
        build(contract(lambda document: document["info"].update({"x-trivium-cors": said})))


async def test_a_mount_lets_the_estates_origins_in(build: Callable[..., Any]) -> None:
    async def tokens(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"token"})

    house = build(means=_settings(GRANTED), mounts={"oauth": tokens})
    preflight = await house.ask("OPTIONS", "/oauth/token", _preflight(PORTAL, "POST"))
    answer = await house.ask("POST", "/oauth/token", {"origin": PORTAL}, b"")

    assert (preflight.status, preflight.body) == (204, b"")
    assert preflight.headers["access-control-allow-methods"] == "POST"
    assert answer.headers["access-control-allow-origin"] == PORTAL


@pytest.mark.parametrize(
    "origin", ["portal.example.com", "https://Portal.example.com", "https://a/b", "null", "https://*.a.com", ""]
)
def test_an_origin_is_written_as_browsers_send_it(origin: str) -> None:
    with pytest.raises(ValidationError, match="no origin"):
        Cors(origins=(origin,))


@given(st.text(st.characters(codec="latin-1", exclude_characters="\r\n\0"), max_size=60), st.booleans())
def test_an_origin_that_is_not_on_the_list_is_never_granted(origin: str, credentials: bool) -> None:
    grant = Grant(frozenset({PORTAL.encode()}), False, credentials, [])

    assert (grant.answer(origin.encode("latin-1")) == []) == (origin != PORTAL)
