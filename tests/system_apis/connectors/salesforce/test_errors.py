from typing import Any

import httpx
import pytest

from kernel.problem import BadPlatformAnswer, Conflict, NotFound, OutcomeUnknown, PlatformBusy, PlatformDown, Problem, Refused
from system_apis.connectors.salesforce.errors import LONGEST, problem, refusal, refusal_of
from system_apis.connectors.salesforce.options import Options

NAMED = Options().named


def told(status: int, code: str, message: str = "no", *, wrote: bool = False, fields: list[str] | None = None) -> Problem:
    body = [{"message": message, "errorCode": code, **({} if fields is None else {"fields": fields})}]
    return problem(refusal(status, body), "sf-eu", wrote=wrote, named=NAMED)


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (403, "REQUEST_LIMIT_EXCEEDED", PlatformBusy), (400, "UNABLE_TO_LOCK_ROW", PlatformBusy),
        (400, "QUERY_TIMEOUT", PlatformBusy),
        (429, "", PlatformBusy), (503, "ORG_IN_MAINTENANCE", PlatformBusy),
        (401, "INVALID_SESSION_ID", PlatformDown), (403, "API_DISABLED_FOR_ORG", PlatformDown),
        (410, "UNSUPPORTED_API_VERSION", PlatformDown), (500, "UNKNOWN_EXCEPTION", PlatformDown), (302, "", BadPlatformAnswer),
        (404, "NOT_FOUND", NotFound), (404, "ENTITY_IS_DELETED", NotFound), (400, "MALFORMED_ID", NotFound),
        (400, "INVALID_CROSS_REFERENCE_KEY", NotFound), (412, "PRECONDITION_FAILED", Conflict),
        (400, "DUPLICATE_VALUE", Conflict),
        (400, "STRING_TOO_LONG", Refused), (400, "FIELD_CUSTOM_VALIDATION_EXCEPTION", Refused),
        (403, "INSUFFICIENT_ACCESS_OR_READONLY", Refused),
    ],
)  # fmt: skip
def test_every_refusal_has_its_problem_in_salesforces_words(status: int, code: str, kind: type[Problem]) -> None:
    found = told(status, code)

    assert type(found) is kind
    assert found.detail.startswith("Salesforce: ")
    assert found.system == "sf-eu"


@pytest.mark.parametrize("status", [500, 502, 503])
def test_a_failure_leaves_a_write_in_doubt_and_a_read_not(status: int) -> None:
    assert type(told(status, "UNKNOWN_EXCEPTION", wrote=True)) is OutcomeUnknown
    assert type(told(status, "UNKNOWN_EXCEPTION", wrote=False)) is PlatformDown


def test_a_missing_custom_field_is_named_with_both_ways_out() -> None:
    found = told(
        400,
        "INVALID_FIELD",
        "\nSELECT Id, Gateway_Order_Id__c FROM Quote\n           ^\nERROR at Row:1:Column:12\n"
        "No such column 'Gateway_Order_Id__c' on entity 'Quote'. If you are attempting to use a custom field",
    )

    assert type(found) is Refused
    assert found.field == "Gateway_Order_Id__c"
    assert found.detail.startswith("Salesforce: No such column 'Gateway_Order_Id__c' on entity 'Quote'.")
    assert "create the custom field Quote.Gateway_Order_Id__c" in (found.fix or "")
    assert "options.order_key_field" in (found.fix or "")


def test_a_hidden_standard_field_is_a_matter_of_field_security() -> None:
    found = told(400, "INVALID_FIELD", "No such column 'GrandTotal' on entity 'Quote'.")

    assert (found.field, "field-level security" in (found.fix or "")) == ("GrandTotal", True)


def test_an_org_of_one_currency_is_asked_which() -> None:
    found = told(400, "INVALID_FIELD", "No such column 'CurrencyIsoCode' on sobject of type Account")

    assert "options.default_currency" in (found.fix or "")


@pytest.mark.parametrize(
    ("code", "fix"),
    [
        ("INVALID_FIELD_FOR_INSERT_UPDATE", "edit ERP_Id__c"), ("INVALID_TYPE", "enable Quotes"),
        ("ENTITY_IS_LOCKED", "Modify All"),
        ("INSUFFICIENT_ACCESS", "edit the record"),
    ],
)  # fmt: skip
def test_what_a_person_has_to_change_is_said(code: str, fix: str) -> None:
    found = told(400, code, wrote=True, fields=["ERP_Id__c"])

    assert (type(found), found.field) == (Refused, "ERP_Id__c")
    assert fix in (found.fix or "")


def test_sessions_addresses_and_endless_texts_are_not_repeated() -> None:
    session = "00D5g000000001BEAQ!AQ4AQ.secret_part-1"
    found = told(400, "INVALID_EMAIL_ADDRESS", f"Email: invalid email address: jo@acme.example {session} " + "x" * 5000)

    assert "jo@acme.example" not in found.detail
    assert "secret_part" not in found.detail
    assert len(found.detail) <= LONGEST + len("Salesforce: ")


@pytest.mark.parametrize("body", [b"", b"<html>", b"{}", b"[]", b"[1]", b"null", b'[{"message": null}]', b'[{"fields": 7}]'])
def test_an_answer_in_another_form_is_told_by_its_status(body: bytes) -> None:
    found = problem(refusal_of(httpx.Response(400, content=body)), "sf-eu", wrote=True, named=NAMED)

    assert (type(found), found.detail) == (Refused, "Salesforce: 400")


@pytest.mark.parametrize(("header", "seconds"), [("7", 7), ("soon", None), ("", None)])
def test_a_time_to_wait_is_passed_on_if_told(header: str, seconds: int | None) -> None:
    answer = httpx.Response(429, headers={"Retry-After": header}, content=b"")

    assert problem(refusal_of(answer), "sf-eu", wrote=False, named=NAMED).retry_after == seconds


@pytest.mark.parametrize(
    ("body", "expired"),
    [
        ([{"errorCode": "INVALID_SESSION_ID", "message": "Session expired or invalid"}], True),
        ([{"errorCode": "INVALID_SESSION_ID", "message": "This session is not valid for use with the REST API"}], False),
        ([{"errorCode": "INVALID_AUTH_HEADER", "message": "INVALID_HEADER_TYPE"}], False),
        (None, False),
    ],
)
def test_only_an_expired_session_is_worth_a_new_one(body: Any, expired: bool) -> None:
    assert refusal(401, body).is_expiry is expired
