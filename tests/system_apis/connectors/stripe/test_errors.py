from typing import Any

import httpx
import pytest

from kernel.problem import Conflict, NotFound, OutcomeUnknown, PlatformBusy, PlatformDown, Problem, Refused
from system_apis.connectors.stripe.errors import problem


def said(status: int, *, wrote: bool = True, headers: dict[str, str] | None = None, **error: Any) -> Problem:
    answer = httpx.Response(status, json={"error": {"message": "No.", "type": "invalid_request_error"} | error}, headers=headers)
    return problem(answer, "stripe-us", wrote=wrote)


@pytest.mark.parametrize(
    ("status", "error", "kind"),
    [
        (400, {"param": "email"}, Refused),
        (402, {"type": "card_error", "code": "card_declined"}, Refused),
        (404, {"code": "resource_missing"}, NotFound),
        (400, {"code": "resource_missing"}, Refused),
        (400, {"code": "resource_already_exists"}, Conflict),
        (400, {"type": "idempotency_error"}, OutcomeUnknown),
        (401, {}, PlatformDown),
        (401, {"code": "api_key_expired"}, PlatformDown),
        (403, {}, PlatformDown),
        (409, {"type": "idempotency_error", "code": "idempotency_key_in_use"}, PlatformBusy),
        (409, {}, PlatformBusy),
        (424, {}, OutcomeUnknown),
        (429, {"code": "rate_limit"}, PlatformBusy),
        (429, {"code": "lock_timeout"}, PlatformBusy),
        (500, {"type": "api_error"}, OutcomeUnknown),
        (503, {"type": "api_error"}, OutcomeUnknown),
    ],
)
def test_each_refusal_of_a_write_is_one_kind_of_problem(status: int, error: dict[str, Any], kind: type[Problem]) -> None:
    found = said(status, **error)

    assert type(found) is kind
    assert found.system == "stripe-us"
    assert found.detail.startswith("Stripe")


@pytest.mark.parametrize("status", [500, 502, 503, 504, 424])
def test_a_failure_while_reading_is_not_in_doubt(status: int) -> None:
    found = said(status, wrote=False)

    assert type(found) is PlatformDown
    assert not found.ambiguous


def test_a_reference_to_nothing_is_not_found_when_reading() -> None:
    assert type(said(400, wrote=False, code="resource_missing", param="customer")) is NotFound


def test_stripes_own_word_that_a_repetition_helps_is_taken() -> None:
    assert type(said(400, headers={"Stripe-Should-Retry": "true"})) is PlatformBusy


def test_the_field_and_the_words_are_stripes() -> None:
    found = said(400, message="Missing required param: items.", param="items")

    assert (found.detail, found.field) == ("Stripe: Missing required param: items.", "items")


@pytest.mark.parametrize(("told", "seconds"), [("7", 7), ("soon", None), ("-1", None), ("", None)])
def test_a_time_to_wait_is_passed_on_if_it_is_one(told: str, seconds: int | None) -> None:
    assert said(429, headers={"Retry-After": told}).retry_after == seconds


@pytest.mark.parametrize("status", [401, 403])
def test_bad_credentials_come_with_what_to_do(status: int) -> None:
    assert said(status).fix


def test_neither_keys_nor_mail_addresses_are_repeated() -> None:
    found = said(403, message="The key 'rk_test_abc123XYZ' of ann@acme.example may not; see sk_live_********9999.")

    assert found.detail == "Stripe: The key '(key)' of (address) may not; see (key)."


def test_a_long_text_is_cut() -> None:
    assert len(said(400, message="x" * 9000).detail) < 600


@pytest.mark.parametrize("body", [b"", b"<html>bad gateway</html>", b"[]", b'{"error":"no"}', b'{"error":null}', b"\xff"])
def test_an_answer_in_another_form_is_judged_by_its_status(body: bytes) -> None:
    assert type(problem(httpx.Response(502, content=body), "s", wrote=True)) is OutcomeUnknown
    assert problem(httpx.Response(418, content=body), "s", wrote=True).detail == "Stripe: 418"
