"""The pages tell each reader what they may call; nothing that a contract says becomes markup."""

import io
import json
import re
import zipfile
from xml.etree import ElementTree

import pytest

from tests.console.conftest import HOSTILE

QUOTES = "/catalog/apis/process/quotes/v1"
PAGES = [
    "/catalog", "/catalog?q=quote", "/catalog/results?q=quote", "/catalog/map", "/catalog/changes", "/catalog/session", QUOTES,
    f"{QUOTES}/operations/get_quote", f"{QUOTES}/schemas/Quote", f"{QUOTES}/versions",
]  # fmt: skip


@pytest.mark.parametrize("page", PAGES)
async def test_every_page_is_small_closed_and_needs_nothing_from_elsewhere(visitor, page):
    answer = await visitor("ours").get(page)

    assert answer.status_code == 200
    assert len(answer.content) < 100_000
    assert HOSTILE not in answer.text
    assert not re.search(r'(?:src|href)="(?:https?:)?//', answer.text)
    assert "unsafe" not in answer.headers["content-security-policy"]
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]


@pytest.mark.parametrize(("token", "apis"), [("", ["ops/status/v1"]), ("partner", ["process/quotes/v1", "ops/status/v1"])])
async def test_the_first_page_lists_what_its_reader_may_call(visitor, token, apis):
    text = (await visitor(token).get("/catalog")).text

    assert re.findall(r'<p class="key"><code>([^<]+)', text) == apis


@pytest.mark.parametrize("token", ["", "partner", "portal"])
@pytest.mark.parametrize("page", ["/operations/audit_margins", "/operations/check_internally", "/schemas/Secret"])
async def test_what_is_not_for_them_is_not_there(visitor, token, page):
    answer = await visitor(token).get(QUOTES + page)

    assert answer.status_code == 404
    assert "margin" not in answer.text.replace("audit_margins", "")


async def test_partners_see_neither_consumers_nor_what_is_behind(visitor):
    ours, theirs = [(await visitor(token).get(QUOTES)).text for token in ("ours", "partner")]

    assert "Who consumes what" in ours
    assert "system/crm" in ours
    assert "Who consumes what" not in theirs
    assert "system/crm" not in theirs


async def test_an_operation_shows_scope_limits_errors_and_snippets_with_the_real_url(visitor):
    text = (await visitor("partner").get(f"{QUOTES}/operations/get_quote")).text

    for said in (
        "quotes:read",
        "curl",
        "Python",
        "TypeScript",
        "http://gateway.test/process/quotes/v1/quotes/A-1001",
        "noscript",
    ):
        assert said in text


async def test_a_page_that_did_not_change_is_not_sent_again(visitor):
    browser = visitor("ours")
    first = await browser.get(QUOTES)
    again = await browser.get(QUOTES, headers={"If-None-Match": first.headers["etag"]})

    assert (again.status_code, again.content) == (304, b"")
    assert first.headers["cache-control"].startswith("private")
    assert "Cookie" in first.headers["vary"]


async def test_what_was_rendered_for_one_is_not_shown_to_another(visitor):
    app = visitor()
    seen = {}
    for token in ("ours", "partner", "", "ours"):
        seen[token] = (await app.get(QUOTES, headers={"Authorization": f"Bearer {token}"} if token else {})).text

    assert "audit_margins" in seen["ours"]
    assert "audit_margins" not in seen["partner"]
    assert "get_quote" not in seen[""]


async def test_files_are_kept_for_as_long_as_their_name_lasts(visitor):
    browser = visitor()
    address = re.search(r'href="(/catalog/static/catalog.css[^"]+)"', (await browser.get("/catalog")).text)[1]
    named, bare = await browser.get(address), await browser.get("/catalog/static/catalog.css")

    assert "immutable" in named.headers["cache-control"]
    assert "no-cache" in bare.headers["cache-control"]
    assert (await browser.get("/catalog/static/../app.py")).status_code == 404


@pytest.mark.parametrize("file", ["openapi.json", "postman.json"])
async def test_downloads_can_be_read(visitor, file):
    answer = await visitor("partner").get(f"{QUOTES}/download/{file}")

    assert "attachment" in answer.headers["content-disposition"]
    assert "get_quote" in json.dumps(answer.json())
    assert "audit_margins" not in answer.text


async def test_a_bruno_collection_is_a_zip_of_requests(visitor):
    answer = await visitor("partner").get(f"{QUOTES}/download/bruno.zip")
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        said = archive.read("operations/get_quote.bru").decode()

    assert "url: {{baseUrl}}/process/quotes/v1/quotes/:id" in said


async def test_the_feed_has_an_entry_for_each_release(visitor):
    root = ElementTree.fromstring((await visitor("partner").get("/catalog/changes.atom")).content)  # noqa: S314 - our own
    titles = [entry.findtext("{*}title") for entry in root.findall("{*}entry")]

    assert titles == ["Quotes 1.1.0", "Quotes 1.0.0"]


async def test_two_versions_can_be_compared(visitor):
    text = (await visitor("ours").get(f"{QUOTES}/versions?from=1.0.0&to=1.1.0")).text

    assert "From 1.0.0 to 1.1.0" in text
    assert "margins" in text
    assert (await visitor("ours").get(f"{QUOTES}/versions?from=9&to=1.1.0")).status_code == 404


async def test_the_map_says_in_words_what_it_draws(visitor):
    text = (await visitor("ours").get("/catalog/map")).text

    assert "<title id=" in text
    assert "read_quote" in text.partition("In words")[2]
    assert "salesforce-eu" in text.partition("In words")[2]


@pytest.mark.parametrize("page", ["/catalog/nothing", "/catalog/apis/a/b/v1", f"{QUOTES}/operations/x", f"{QUOTES}/download/x"])
async def test_what_there_is_not_is_a_page_too(visitor, page):
    answer = await visitor("ours").get(page)

    assert answer.status_code == 404
    assert "<h1>" in answer.text
