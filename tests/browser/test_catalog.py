"""A stranger finds an operation in the catalog and calls it from the page; it works by keyboard, in the dark, without scripts."""

import json

import pytest

pytestmark = pytest.mark.slow


def test_a_stranger_finds_quote_validation_gets_a_sandbox_token_and_calls_it_from_the_page(told):
    answer = json.loads(told["answer"]["body"])

    assert told["answer"]["line"].startswith("200")
    assert answer["quote_number"] == "Q-1001"
    assert {check["name"] for check in answer["checks"]} >= {"credit", "account_active"}


def test_it_is_usable_with_the_keyboard_alone(told):
    keyboard = told["keyboard"]

    assert keyboard["first"] == "To the content"
    assert keyboard["after_skip"] == "content"
    assert keyboard["found"] == "validate_quote"
    assert keyboard["answer"].startswith("200")


def test_it_is_readable_without_scripts(told):
    without = told["without_scripts"]

    assert "curl -sS -X POST" in without["curl"]
    assert not without["form"]
    assert without["signed_in"]


def test_axe_finds_nothing_serious_on_any_page_light_or_dark(told):
    serious = {
        page: [one for one in found if one["impact"] in ("serious", "critical")] for page, found in told["violations"].items()
    }

    assert len(told["violations"]) > 12
    assert {page: found for page, found in serious.items() if found} == {}


def test_dark_is_dark(told):
    red, green, blue = (int(part) for part in told["dark"][4:-1].split(","))

    assert max(red, green, blue) < 60


def test_the_first_page_is_small_and_nothing_comes_from_elsewhere(told):
    assert told["first_page"] < 100_000
    assert told["elsewhere"] == []


def test_no_script_fails_and_no_policy_is_broken(told):
    expected = ("/apis/a/b/v1", "cdn.redoc.ly")  # a page that there is not, and a logo that Redoc asks for in vain

    assert [error for error in told["errors"] if not any(place in error for place in expected)] == []


def test_swagger_ui_and_redoc_draw_the_contract(told):
    if "viewers" not in told:
        pytest.skip("fastapi-offline is not installed")

    assert told["viewers"]
