"""The session under every generated client, against a server of a few lines."""

import json

import httpx
import pytest
from pydantic import BaseModel, TypeAdapter

from governance.clients.python.runtime.problems import BadAnswer, Invalid, NotFound, TokenRefused, Unavailable, Unreachable
from governance.clients.python.runtime.session import Endpoint, Given, Session
from governance.clients.python.runtime.tokens import ClientCredentials, Fixed
from governance.clients.python.runtime.waiting import Retries


class Page(BaseModel):
    items: list[int]
    next: str | None = None


READ = Endpoint("GET", "/things/{id}", TypeAdapter(Page))
CREATE = Endpoint("POST", "/things", TypeAdapter(Page), keyed=True)
PLAIN_POST = Endpoint("POST", "/things", TypeAdapter(Page))
GOOD = httpx.Response(200, json={"items": [1]})
LOST = httpx.ReadError("lost")


def refusal(status, **headers):
    body = {"type": f"urn:trivium:problem:s{status}", "title": "No", "status": status, "detail": "not now", "fix": "wait"}
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx.Response(status, json=body, headers={**named, "content-type": "application/problem+json"})


class Server:
    """Answers what it is given, in that order, the last for ever; time passes only while somebody sleeps."""

    def __init__(self, *answers, tokens=None, retries=None):
        self.answers, self.seen, self.slept = list(answers), [], []
        http = httpx.AsyncClient(transport=httpx.MockTransport(self._answer), base_url="http://door.test")
        self.session = Session(
            http, tokens, retries or Retries(), sleep=self._sleep, now=lambda: sum(self.slept), dice=lambda: 0.5
        )

    def _answer(self, request):
        self.seen.append(request)
        found = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        found = found(request) if callable(found) else found
        if isinstance(found, Exception):
            raise found
        return httpx.Response(found.status_code, headers=found.headers, content=found.content)

    async def _sleep(self, seconds):
        self.slept.append(seconds)

    def sent(self, header):
        return [request.headers.get(header) for request in self.seen]


async def test_a_create_keeps_its_key_and_its_correlation_id_over_retries_and_has_new_ones_the_next_time():
    server = Server(refusal(503, Retry_After="2"), LOST, GOOD)

    await server.session.call(CREATE, Given())
    await server.session.call(CREATE, Given())

    keys, ids = server.sent("Idempotency-Key"), server.sent("X-Correlation-Id")
    assert len(keys) == 4
    assert keys[0] == keys[1] == keys[2] != keys[3]
    assert ids[0] == ids[1] == ids[2] != ids[3]


async def test_it_waits_as_long_as_it_is_told():
    server = Server(refusal(429, Retry_After="7"), GOOD)

    await server.session.call(PLAIN_POST, Given())

    assert len(server.slept) == 1
    assert 7 <= server.slept[0] < 7 * 1.3


async def test_who_is_told_to_wait_too_long_is_told_so_at_once():
    server = Server(refusal(503, Retry_After="3600"))

    with pytest.raises(Unavailable) as found:
        await server.session.call(READ, Given(path={"id": 1}))

    assert (found.value.retry_after, found.value.fix, server.slept) == (3600, "wait", [])


async def test_all_attempts_together_end_in_time():
    server = Server(LOST, retries=Retries(attempts=1000, within=30, longest_pause=10))

    with pytest.raises(Unreachable):
        await server.session.call(READ, Given(path={"id": 1}))

    assert 20 < sum(server.slept) <= 30


@pytest.mark.parametrize(("answer", "kind"), [(refusal(503), Unavailable), (LOST, Unreachable)])
async def test_what_has_no_key_is_sent_once(answer, kind):
    server = Server(answer)

    with pytest.raises(kind):
        await server.session.call(PLAIN_POST, Given())

    assert len(server.seen) == 1


async def test_a_refusal_is_raised_with_all_it_says():
    body = {"title": "Unprocessable", "detail": "no", "errors": [{"pointer": "/a", "detail": "b"}], "correlation_id": "c-1"}
    server = Server(httpx.Response(422, json=body))

    with pytest.raises(Invalid) as found:
        await server.session.call(CREATE, Given())

    assert (found.value.errors, found.value.correlation_id) == ([{"pointer": "/a", "detail": "b"}], "c-1")
    assert "no" in str(found.value)


async def test_a_refusal_that_is_no_problem_document_is_still_told_by_its_status():
    server = Server(httpx.Response(404, text="<html>"))

    with pytest.raises(NotFound):
        await server.session.call(READ, Given(path={"id": 1}))


async def test_an_answer_against_the_contract_is_not_handed_on():
    server = Server(httpx.Response(200, json={"items": ["x"]}))

    with pytest.raises(BadAnswer, match="items/0"):
        await server.session.call(READ, Given(path={"id": 1}))


async def test_pages_are_read_by_cursor_and_by_link_to_the_last():
    linked = httpx.Response(200, json={"items": [2]}, headers={"Link": '</things/7?cursor=c2>; rel="next"'})
    server = Server(httpx.Response(200, json={"items": [1], "next": "c1"}), linked, httpx.Response(200, json={"items": [3]}))

    pages = [page.items async for page in server.session.pages(READ, Given(path={"id": 7}, query={"limit": 1}))]

    assert pages == [[1], [2], [3]]
    assert [str(request.url) for request in server.seen] == [
        "http://door.test/things/7?limit=1", "http://door.test/things/7?limit=1&cursor=c1", "http://door.test/things/7?cursor=c2",
    ]  # fmt: skip


@pytest.mark.parametrize("link", ["http://elsewhere.test/things", "/things/7?cursor=again"])
async def test_pages_neither_lead_elsewhere_nor_round_in_a_circle(link):
    server = Server(httpx.Response(200, json={"items": [1]}, headers={"Link": f'<{link}>; rel="next"'}))

    with pytest.raises(BadAnswer):
        [page async for page in server.session.pages(READ, Given(path={"id": 7}))]

    assert {request.url.host for request in server.seen} == {"door.test"}


@pytest.mark.parametrize("value", ["..", ".", ""])
async def test_a_value_never_becomes_another_path(value):
    server = Server(GOOD)

    with pytest.raises(ValueError, match="id"):
        await server.session.call(READ, Given(path={"id": value}))
    await server.session.call(READ, Given(path={"id": "a/b?c#d"}))

    assert [request.url.raw_path for request in server.seen] == [b"/things/a%2Fb%3Fc%23d"]


async def test_a_token_is_taken_once_and_anew_shortly_before_its_end():
    time = [0.0]
    issued = []

    def give(request):
        if request.url.path == "/oauth/token":
            issued.append(request)
            return httpx.Response(200, json={"access_token": f"t{len(issued)}", "expires_in": 600})
        return GOOD

    server = Server(give, tokens=ClientCredentials("/oauth/token", "a b", "s:1", ["x:read"], now=lambda: time[0]))
    for moment in (0, 569, 571):
        time[0] = moment
        await server.session.call(READ, Given(path={"id": 1}))

    assert [said for said in server.sent("Authorization") if said.startswith("Bearer")] == ["Bearer t1", "Bearer t1", "Bearer t2"]
    assert issued[0].content == b"grant_type=client_credentials&scope=x%3Aread"


async def test_a_refused_token_is_replaced_once():
    given = iter(("old", "new"))

    def answer(request):
        if request.url.path == "/oauth/token":
            return httpx.Response(200, json={"access_token": next(given), "expires_in": 600})
        return GOOD if request.headers["Authorization"] == "Bearer new" else refusal(401)

    server = Server(answer, tokens=ClientCredentials("/oauth/token", "a", "s"))

    assert (await server.session.call(PLAIN_POST, Given())).items == [1]


async def test_a_client_that_gets_no_token_is_told_why_and_never_its_secret():
    server = Server(
        httpx.Response(401, json={"error": "invalid_client"}), tokens=ClientCredentials("/oauth/token", "a", "s3cret")
    )

    with pytest.raises(TokenRefused, match="invalid_client") as found:
        await server.session.call(READ, Given(path={"id": 1}))

    assert "s3cret" not in str(found.value)


async def test_a_body_says_nothing_of_what_was_left_out():
    server = Server(GOOD, tokens=Fixed("t"))

    await server.session.call(CREATE, Given(body=Page(items=[1])))

    assert json.loads(server.seen[0].content) == {"items": [1]}
    assert server.sent("Authorization") == ["Bearer t"]
