"""Through the whole door: who is not cleared for a class of fields never gets one, and who is gets the answer as it was."""

import gzip
import json
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.contracts import BadContract
from gateway.pipeline import Caller
from kernel.sections.door import Door

ORDER = "/process/orders/v1/orders/o1"
CLEARANCE = Door().clearance
OURS = frozenset({"orders:read", "orders:write"})
OWN = Caller("ours", "ours", OURS)
PARTNER = Caller("theirs", "theirs", OURS, partner="acme")
NARROW = Caller("portal", "user-7", OURS, accounts=frozenset({"crm/1"}))
BODY = {"id": "o1", "note": "n", "margin": "m", "contact": {"email": "e"}, "iban": "i", "tax_id": "t"}
SCHEMA = {
    "type": "object",
    "required": ["id"],
    "properties": {
        "id": {"type": "string", "x-trivium-classification": "public"},
        "note": {"type": "string"},
        "margin": {"type": "string", "x-trivium-classification": "internal"},
        "contact": {"type": "object", "x-trivium-classification": "confidential"},
        "iban": {"type": "string", "x-trivium-classification": "payment"},
        "tax_id": {"type": "string", "x-trivium-classification": "tax"},
    },
}


def _answering(
    body: bytes, headers: Sequence[tuple[bytes, bytes]] = (), *, status: int = 200, media: bytes = b"application/json"
) -> Any:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        own = [(b"content-type", media), (b"content-length", str(len(body)).encode()), *headers]
        await send({"type": "http.response.start", "status": status, "headers": own})
        await send({"type": "http.response.body", "body": body[:10], "more_body": True})
        await send({"type": "http.response.body", "body": body[10:]})

    return app


@pytest.fixture
def classified(build: Callable[..., Any], contract: Callable[..., str]) -> Callable[..., Any]:
    def make(caller: Caller = OWN, app: Any = None, **more: Any) -> Any:
        def classify(document: Any) -> None:
            document["info"] |= {"x-trivium-audience": "partner", "x-trivium-tenancy": {"bound": "filtered"}}
            answer = {"200": {"description": "-", "content": {"application/json": {"schema": SCHEMA}}}}
            document["paths"]["/process/orders/v1/orders/{order_id}"]["get"]["responses"] = answer
            document["paths"]["/process/orders/v1/orders"]["post"]["responses"] = answer

        house = build(contract(classify), means={"clearance": CLEARANCE, **more})
        house.caller = caller
        house.echo.instead = app or _answering(json.dumps(BODY).encode())
        return house

    return make


def _with(caller: Caller, *scopes: str) -> Caller:
    return Caller(caller.client, caller.subject, caller.scopes | set(scopes), accounts=caller.accounts, partner=caller.partner)


@pytest.mark.parametrize(
    ("caller", "seen"),
    [
        (OWN, {"id", "note", "margin", "contact"}),
        (_with(OWN, "fields:tax"), {"id", "note", "margin", "contact", "tax_id"}),
        (_with(OWN, "fields:tax", "fields:payment"), set(BODY)),
        (PARTNER, {"id", "note"}),
        (_with(PARTNER, "fields:confidential"), {"id", "note", "contact"}),
        (_with(PARTNER, "fields:confidential", "fields:tax", "fields:payment", "fields:internal"), set(BODY) - {"margin"}),
        (NARROW, {"id", "note"}),
    ],
)
async def test_a_caller_sees_what_its_clearance_opens(classified: Callable[..., Any], caller: Caller, seen: set[str]) -> None:
    answer = await classified(caller).ask("GET", ORDER)

    assert (answer.status, set(answer.json())) == (200, seen)
    assert int(answer.headers["content-length"]) == len(answer.body)


async def test_partners_see_what_is_internal_once_a_scope_is_mapped_to_it(classified: Callable[..., Any]) -> None:
    opened = {**CLEARANCE, "internal": "fields:internal"}
    answer = await classified(_with(PARTNER, "fields:internal"), clearance=opened).ask("GET", ORDER)

    assert set(answer.json()) == {"id", "note", "margin"}


async def test_who_is_cleared_gets_the_answer_byte_for_byte(classified: Callable[..., Any]) -> None:
    body = b'{"id":"o1",  "tax_id":"\\u0041", "n": 1.10}'
    answer = await classified(_with(OWN, "fields:tax", "fields:payment"), _answering(body, [(b"etag", b'"x"')])).ask("GET", ORDER)

    assert answer.body == body
    assert answer.headers["etag"] == '"x"'


async def test_what_tells_of_the_whole_is_not_said_of_a_part(classified: Callable[..., Any]) -> None:
    telling = [(b"repr-digest", b"sha-256=:x:"), (b"accept-ranges", b"bytes"), (b"x-kept", b"1")]
    answer = await classified(app=_answering(json.dumps(BODY).encode(), telling)).ask("GET", ORDER)

    assert not {"repr-digest", "accept-ranges"} & answer.headers.keys()
    assert answer.headers["x-kept"] == "1"


async def test_an_etag_of_the_whole_would_let_its_secrets_be_guessed(classified: Callable[..., Any]) -> None:
    other = json.dumps({**BODY, "tax_id": "another"}).encode()
    one = await classified(app=_answering(json.dumps(BODY).encode(), [(b"etag", b'"1"')])).ask("GET", ORDER)
    two = await classified(app=_answering(other, [(b"etag", b'"2"')])).ask("GET", ORDER)

    assert one.headers.get("etag") == two.headers.get("etag")


@pytest.mark.parametrize("status", [200, 201, 404, 500])
async def test_an_answer_nobody_promised_is_redacted_by_name(classified: Callable[..., Any], status: int) -> None:
    body = json.dumps({"data": [BODY], "tax_id": ["t"]}).encode()
    media = b"application/problem+json" if status >= 400 else b"application/json"
    answer = await classified(app=_answering(body, status=status, media=media)).ask("GET", ORDER)

    assert answer.status == status
    assert answer.json() == {"data": [{name: BODY[name] for name in ("id", "note", "margin", "contact")}]}


@pytest.mark.parametrize(
    "app",
    [
        _answering(b'{"tax_id": "SECRET"'),
        _answering(b'{"a": {"tax_id": "SECRET"}, "a": {}, "x": NaN}'),
        _answering(b"[" * 100_000 + b'"SECRET"' + b"]" * 100_000),
        _answering(b'\xff\xfe{"tax_id": "SECRET"}'),
        _answering(gzip.compress(b'{"tax_id": "SECRET"}'), [(b"content-encoding", b"gzip")]),
    ],
)
async def test_what_cannot_be_read_is_kept_back(classified: Callable[..., Any], app: Any) -> None:
    answer = await classified(app=app).ask("GET", ORDER)

    assert (answer.status, answer.json()["type"]) == (502, "urn:trivium:problem:broken-promise")
    assert b"SECRET" not in answer.body


@pytest.mark.parametrize("media", [b"text/csv", b"application/pdf", b"text/event-stream", b"text/html"])
async def test_another_form_is_for_those_who_are_cleared(classified: Callable[..., Any], media: bytes) -> None:
    app = _answering(b"id,tax_id\no1,SECRET\n", media=media)
    refused = await classified(app=app).ask("GET", ORDER)
    shown = await classified(_with(OWN, "fields:tax", "fields:payment"), app).ask("GET", ORDER)

    assert (refused.status, refused.json()["missing_scopes"]) == (403, ["fields:payment", "fields:tax"])
    assert (shown.status, shown.body) == (200, b"id,tax_id\no1,SECRET\n")


async def test_a_connection_whose_messages_nobody_reads_is_for_those_who_are_cleared(
    build: Callable[..., Any], contract: Callable[..., str]
) -> None:
    def connect(document: Any) -> None:
        answer = {"200": {"description": "-", "content": {"application/json": {"schema": SCHEMA}}}}
        said = document["paths"]["/process/orders/v1/orders/{order_id}"]["get"]
        said |= {"responses": answer, "x-trivium-websocket": True}

    house = build(contract(connect), means={"clearance": CLEARANCE})

    assert (await house.ask("GET", ORDER)).status == 403


async def test_a_member_twice_hides_nothing(classified: Callable[..., Any]) -> None:
    answer = await classified(app=_answering(b'{"a": {"tax_id": "SECRET"}, "a": {"p": 1}}')).ask("GET", ORDER)

    assert answer.json() == {"a": {"p": 1}}
    assert b"SECRET" not in answer.body


async def test_an_answer_without_end_is_kept_back(classified: Callable[..., Any]) -> None:
    answer = await classified(app=_answering(b'{"note": "' + b"n" * 9_000_000 + b'", "tax_id": "SECRET"}')).ask("GET", ORDER)

    assert answer.status == 502


async def test_a_part_or_a_compressed_answer_is_not_asked_for(classified: Callable[..., Any]) -> None:
    house = classified()
    await house.ask("GET", ORDER, {"accept-encoding": "gzip", "range": "bytes=0-9", "accept": "application/json"})

    names = {name for name, _ in house.echo.scopes[0]["headers"]}
    assert b"accept" in names
    assert not {b"accept-encoding", b"range"} & names


async def test_head_tells_no_length_of_what_is_hidden(classified: Callable[..., Any]) -> None:
    answer = await classified().ask("HEAD", ORDER)

    assert (answer.status, answer.body) == (200, b"")
    assert answer.headers.get("content-length") != str(len(json.dumps(BODY)))


async def test_a_create_is_redacted_on_its_way_out(classified: Callable[..., Any]) -> None:
    answer = await classified(PARTNER).submit({"quote": "q"})

    assert set(answer.json()) == {"id", "note"}


async def test_operations_without_classified_fields_pay_nothing(classified: Callable[..., Any]) -> None:
    body = b'{"tax_id":  "as it came"}'
    answer = await classified(PARTNER, _answering(body)).ask("GET", "/process/orders/v1/orders")

    assert answer.body == body


async def test_a_class_nobody_knows_fails_the_start(build: Callable[..., Any], contract: Callable[..., str]) -> None:
    def misspell(document: Any) -> None:
        schema = {"type": "object", "properties": {"a": {"x-trivium-classification": "secret"}}}
        answer = {"200": {"description": "-", "content": {"application/json": {"schema": schema}}}}
        document["paths"]["/process/orders/v1/orders/{order_id}"]["get"]["responses"] = answer

    with pytest.raises(BadContract, match=r"GET /process/orders/v1/orders/\{order_id\}: x-trivium-classification is one of"):
        build(contract(misspell), means={"clearance": CLEARANCE})


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.just("plain"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["id", "x", "contact", "y"]), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
async def test_whatever_the_body_no_secret_reaches_a_partner(classified: Callable[..., Any], data: st.DataObject) -> None:
    value = data.draw(JSON)
    for name in data.draw(st.lists(st.sampled_from(["tax_id", "iban", "margin", "contact"]), min_size=1, max_size=3)):
        value = data.draw(
            st.sampled_from([{name: "SECRET", "a": value}, [{name: ["SECRET"]}, value], {"a": [{name: {"b": "SECRET"}}]}])
        )
    status = data.draw(st.sampled_from([200, 202, 400, 500]))
    answer = await classified(PARTNER, _answering(json.dumps(value).encode(), status=status)).ask("GET", ORDER)

    assert b"SECRET" not in answer.body
