"""Whatever is sent, the answer is Salesforce's own refusal or a success, and a refused call changes nothing."""

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.faults import Faults
from sandbox.salesforce import api
from sandbox.salesforce.call import Call
from sandbox.salesforce.errors import ApiError
from sandbox.salesforce.objects import OBJECTS
from sandbox.salesforce.org import Org
from sandbox.salesforce.store import utc_now

ORG = Org(utc_now, {}, Faults())
SEEDED = {name: list(table.live) for name, table in ORG.store.tables.items()}
FIELDS = {field for sobject in OBJECTS.values() for field in sobject.fields}
NAMES = st.sampled_from(sorted(FIELDS | {"Account", "attributes", "records", "Contacts"}))
KNOWN_IDS = st.sampled_from([ids[0] for ids in SEEDED.values() if ids])
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12) | KNOWN_IDS | st.just("2026-01-05")
BODIES = st.dictionaries(NAMES, SCALARS | st.dictionaries(NAMES, SCALARS, max_size=2), max_size=5)
JSON = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3))
ATTRIBUTES = st.fixed_dictionaries({"type": st.sampled_from(sorted(OBJECTS)), "referenceId": st.text("ab", max_size=2)})
RECORDS = st.lists(JSON | st.builds(lambda body, attributes: body | {"attributes": attributes}, BODIES, ATTRIBUTES), max_size=3)
URLS = ["/services/data/v66.0/sobjects/Account", "/services/data/v66.0/@{a.id}", "/services/data/v1/query", "//", "http://["]
PARTS = st.fixed_dictionaries(
    {"referenceId": st.text("abc", min_size=1, max_size=2), "method": st.sampled_from(["GET", "POST", "PATCH"])}
    | {"url": st.sampled_from(URLS), "body": JSON},
    optional={"httpHeaders": st.dictionaries(NAMES, SCALARS)},
)
COMPOSITES = st.lists(PARTS, min_size=1, max_size=3, unique_by=lambda part: str(part["referenceId"]))
BATCHES = st.fixed_dictionaries(
    {"records": RECORDS, "compositeRequest": COMPOSITES | st.lists(JSON)}, optional={"allOrNone": JSON}
)
PATHS = ["composite", "composite/sobjects", "composite/tree/Account", "composite/sobjects/Account", "sobjects/Quote"]


def serve(method: str, path: str, body: Any) -> int:
    raw = json.dumps(body).encode()
    try:
        return api.serve(Call(ORG, method, "66.0", tuple(path.strip("/").split("/")), raw=raw)).status
    except ApiError as error:
        return error.status


def state() -> dict[str, Any]:
    return {name: (dict(table.live), {k: dict(v) for k, v in table.indexes.items()}) for name, table in ORG.store.tables.items()}


@settings(deadline=None, max_examples=300)
@given(st.sampled_from(sorted(OBJECTS)), BODIES)
def test_a_refused_write_leaves_rows_and_indexes_as_they_were(sobject: str, body: dict[str, Any]) -> None:
    first = next(iter(SEEDED[sobject]), "none")
    for method, path in (("POST", f"sobjects/{sobject}"), ("PATCH", f"sobjects/{sobject}/{first}")):
        before = state()

        status = serve(method, path, body)

        assert status in (201, 204, 400, 404)
        assert status < 400 or state() == before


@settings(deadline=None, max_examples=300)
@given(st.sampled_from(PATHS), st.sampled_from(["POST", "PATCH", "DELETE", "PUT"]), BATCHES | JSON)
def test_any_body_to_a_batch_is_answered(path: str, method: str, body: Any) -> None:
    assert serve(method, path, body) in (200, 201, 204, 400, 404, 405)


@settings(deadline=None, max_examples=200)
@given(COMPOSITES, st.booleans())
def test_any_part_of_a_composite_is_answered(parts: list[dict[str, Any]], all_or_none: bool) -> None:
    assert serve("POST", "composite", {"compositeRequest": parts, "allOrNone": all_or_none}) in (200, 400)


@settings(deadline=None)
@given(st.lists(st.tuples(st.sampled_from(["Quantity", "UnitPrice", "Discount"]), st.integers(0, 99)), max_size=6))
def test_a_quotes_total_is_the_sum_of_its_lines_whatever_is_changed(changes: list[tuple[str, int]]) -> None:
    quote = SEEDED["Quote"][0]
    lines = ORG.store.tables["QuoteLineItem"].find("QuoteId", quote)
    for step, (name, value) in enumerate(changes):
        assert serve("PATCH", f"sobjects/QuoteLineItem/{lines[step % len(lines)]}", {name: value}) == 204

    rows = [ORG.store.row("QuoteLineItem", line) or {} for line in lines]
    total = ORG.store.row("Quote", quote) or {}
    assert total["TotalPrice"] == sum(row["TotalPrice"] for row in rows)
    assert all(row["TotalPrice"].as_tuple().exponent == -2 for row in rows)
