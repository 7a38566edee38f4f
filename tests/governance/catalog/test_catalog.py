"""The catalog lists what its reader may call, and nothing that leads further."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance.catalog.downloads import DOWNLOADS
from governance.catalog.excerpt import contract_of, excerpt
from governance.catalog.reader import ANYBODY, EVERYTHING, Reader
from tests.governance.catalog.conftest import CRM, QUOTES, STATUS

PARTNER = Reader(scopes=frozenset({"quotes:read"}))


def operations(catalog):
    return {id for listed in catalog.apis.values() for id in listed.operations}


def test_our_own_read_everything(whole):
    assert operations(whole) == {"get_quote", "audit_margins", "check_internally", "get_status", "read_quote"}


def test_a_partner_reads_what_its_scopes_open_and_what_is_public(whole):
    assert operations(whole.seen_by(PARTNER)) == {"get_quote", "get_status"}


def test_anybody_reads_what_is_public(whole):
    assert operations(whole.seen_by(ANYBODY)) == {"get_status"}


def test_what_a_partner_takes_along_does_not_name_what_it_may_not_call(whole):
    seen = whole.seen_by(PARTNER).apis["process/quotes/v1"].contract

    for name in ("openapi.yaml", "openapi.json", "postman.json"):
        text = DOWNLOADS[name].made(seen, "http://here").decode()
        for hidden in ("margin", "Secret", "quotes:audit", "check_internally", "system/crm"):
            assert hidden not in text, name


def test_a_partner_searches_only_its_part(whole):
    seen = whole.seen_by(PARTNER)

    assert [entry.name for entry in seen.index.search("get quote")][:1] == ["get_quote"]
    assert seen.index.search("margin") == []


def test_a_partner_learns_of_no_other_consumer_nor_of_what_lies_behind(whole):
    seen = whole.seen_by(PARTNER)

    assert seen.apis["process/quotes/v1"].consumers == ()
    assert seen.map.edges == ()


def test_what_changed_for_others_is_no_news_for_a_partner(whole):
    ours = [one for change in whole.changes for one in change.findings]
    theirs = [one for change in whole.seen_by(PARTNER).changes for one in change.findings]

    assert any("margins" in one.operation for one in ours)
    assert not any("margins" in one.operation or "margins" in one.sentence for one in theirs)


@given(st.frozensets(st.sampled_from(["quotes:read", "quotes:audit", "crm:read", "other:read"])))
def test_no_reader_sees_an_operation_beyond_its_scopes(scopes):
    reader = Reader(scopes=scopes)
    for said in (QUOTES, STATUS, CRM):
        seen = excerpt(contract_of(said, "x"), reader)
        for operation in seen.operations if seen else ():
            audience = operation.extension("audience")
            assert audience == "public" or (audience == "partner" and operation.scopes <= scopes)


def test_an_excerpt_stands_by_itself(whole):
    seen = whole.seen_by(PARTNER).apis["process/quotes/v1"].contract

    assert set(seen.root.at("components", "schemas").value) == {"Quote", "Money"}
    assert json.dumps(seen.source.root)


def test_facets_count_and_narrow_down(whole):
    assert whole.facets(list(whole.apis.values()))["layer"] == {"ops": 1, "process": 1, "system": 1}
    assert [one.key for one in whole.where({"layer": "system"})] == ["system/crm/v1"]


def test_the_badges_tell_the_release_whose_evidence_is_for_this_very_promise(whole):
    standing = whole.apis["process/quotes/v1"].standing

    assert (standing.published, standing.tests) == ("1.1.0", "12 cases, 0 failures")
    assert whole.apis["system/crm/v1"].standing.published == ""


def test_a_release_tells_what_it_changed_since_the_one_before(whole):
    latest, first = whole.changes_of(whole.apis["process/quotes/v1"])

    assert (latest.version, latest.since, first.since) == ("1.1.0", "1.0.0", "")
    assert any("margins" in one.operation for one in latest.findings)


def test_the_map_leads_from_the_portal_to_the_account_of_the_platform(whole):
    edges = {(edge.source, edge.to): edge.operations for edge in whole.map.edges}

    assert edges == {
        ("app:portal", "process/quotes/v1"): ("get_quote",),
        ("process/quotes/v1", "system/crm/v1"): ("read_quote",),
        ("system/crm/v1", "at:salesforce-eu"): (),
    }


def test_catalogs_of_the_same_reader_are_made_once(whole):
    assert whole.seen_by(PARTNER) is whole.seen_by(Reader(scopes=frozenset({"quotes:read"})))
    assert whole.seen_by(EVERYTHING) is whole


@pytest.mark.parametrize("file", DOWNLOADS)
def test_downloads_are_the_same_bytes_each_time(whole, file):
    contract, made = whole.apis["process/quotes/v1"].contract, DOWNLOADS[file].made

    assert made(contract, "http://here") == made(contract, "http://here")
