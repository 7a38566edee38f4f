from typing import Any

import httpx
import pytest

from kernel.problem import NotFound, OutcomeUnknown, PlatformBusy, PlatformDown, Problem, Refused
from system_apis.connectors.netsuite.errors import field, problem

LEAD = "Error while accessing a resource. "


def said(status: int, *, wrote: bool = True, headers: dict[str, str] | None = None, **detail: Any) -> Problem:
    told = {"detail": f"{LEAD}No.", "o:errorCode": "USER_ERROR"} | {
        name.replace("_", ":", 1): one for name, one in detail.items()
    }
    body = {"type": "https://www.w3.org/Protocols/rfc2616/rfc2616-sec10.html", "status": status, "o:errorDetails": [told]}
    return problem(httpx.Response(status, json=body, headers=headers), "netsuite-us", wrote=wrote)


@pytest.mark.parametrize(
    ("status", "told", "kind"),
    [
        (400, {"o_errorCode": "INVALID_CONTENT", "o_errorPath": "entity"}, Refused),
        (400, {}, Refused),
        (400, {"o_errorCode": "INVALID_REQUEST"}, Refused),
        (404, {"o_errorCode": "NONEXISTENT_ID"}, NotFound),
        (404, {"o_errorCode": "NOT_FOUND"}, PlatformDown),
        (401, {"o_errorCode": "INVALID_LOGIN"}, PlatformDown),
        (403, {"o_errorCode": "INSUFFICIENT_PERMISSION"}, PlatformDown),
        (405, {"o_errorCode": "METHOD_NOT_ALLOWED"}, Refused),
        (429, {"o_errorCode": "CONCURRENCY_LIMIT_EXCEEDED"}, PlatformBusy),
        (400, {"o_errorCode": "SSS_REQUEST_LIMIT_EXCEEDED"}, PlatformBusy),
        (400, {"detail": f"{LEAD}RCRD_HAS_BEEN_CHANGED: Record has been changed."}, PlatformBusy),
        (400, {"o_errorCode": "RCRD_HAS_BEEN_CHANGED"}, PlatformBusy),
        (408, {}, OutcomeUnknown),
        (500, {"o_errorCode": "UNEXPECTED_ERROR"}, OutcomeUnknown),
        (503, {}, OutcomeUnknown),
    ],
)
def test_each_refusal_of_a_write_is_one_kind_of_problem(status: int, told: dict[str, Any], kind: type[Problem]) -> None:
    found = said(status, **told)

    assert type(found) is kind
    assert found.system == "netsuite-us"
    assert found.detail.startswith("NetSuite")


@pytest.mark.parametrize("status", [500, 502, 503, 504, 408])
def test_a_failure_while_reading_is_not_in_doubt(status: int) -> None:
    found = said(status, wrote=False)

    assert type(found) is PlatformDown
    assert not found.ambiguous


def test_a_missing_place_is_never_taken_for_a_missing_record() -> None:
    proxy = problem(httpx.Response(404, content=b"<html>not here</html>"), "netsuite-us", wrote=False)

    assert type(proxy) is PlatformDown
    assert "base_url" in (proxy.fix or "")


@pytest.mark.parametrize(
    "words",
    [
        "You cannot create, edit or delete a transaction in a closed or locked accounting period.",
        "This transaction's posting period is closed.",
    ],
)
def test_a_closed_period_is_a_refusal_of_the_day_with_what_to_do(words: str) -> None:
    found = said(400, detail=LEAD + words, o_errorPath="tranDate")

    assert (type(found), found.field, found.detail) == (Refused, "ordered_on", f"NetSuite: {words}")
    assert found.fix


@pytest.mark.parametrize("status", [401, 403])
def test_bad_credentials_come_with_what_to_do(status: int) -> None:
    assert said(status).fix


@pytest.mark.parametrize(
    ("path", "ours"),
    [
        ("tranDate", "ordered_on"),
        ("entity", "customer"),
        ("subsidiary", "legal_entity"),
        ("item", "lines"),
        ("item.items[2].item", "lines[2].item"),
        ("item.items[0].taxCode", "lines[0].tax_code"),
        ("item.items[10].class", "lines[10].dimensions.class"),
        ("item.items[3]", "lines[3]"),
        ("addressBook.items[0].addressBookAddress.country", "address"),
        ("currency", "currency"),
        ("somethingElse", "somethingElse"),
        ("", None),
        (None, None),
        (7, None),
    ],
)
def test_the_field_is_named_in_our_words(path: object, ours: str | None) -> None:
    assert field(path) == ours
    assert said(400, o_errorPath=path).field == ours


@pytest.mark.parametrize(("told", "seconds"), [("7", 7), ("soon", None), ("-1", None), ("", None)])
def test_a_time_to_wait_is_passed_on_if_it_is_one(told: str, seconds: int | None) -> None:
    assert said(429, headers={"Retry-After": told}).retry_after == seconds


def test_mail_addresses_are_not_repeated_and_a_long_text_is_cut() -> None:
    assert said(400, detail="ann@acme.example exists").detail == "NetSuite: (address) exists"
    assert len(said(400, detail="x" * 9000).detail) < 600


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b"[]", b'{"o:errorDetails":"no"}', b'{"o:errorDetails":[]}', b'{"o:errorDetails":[1]}', b"\xff"]
)
def test_an_answer_in_another_form_is_judged_by_its_status(body: bytes) -> None:
    assert type(problem(httpx.Response(502, content=body), "s", wrote=True)) is OutcomeUnknown
    assert problem(httpx.Response(418, content=body), "s", wrote=True).detail == "NetSuite: 418"
