"""The same request has one fingerprint however it is written, another request has another; a key belongs to its caller."""

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.pipeline import Call, Caller
from gateway.replays.fingerprint import fingerprint, identity

CALLER = Caller("acme", "acme", frozenset())
SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8)
JSON = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3))


def of(body: bytes, media: str = "application/json", method: str = "POST", path: bytes = b"/orders", query: bytes = b"") -> str:
    headers = [(b"content-type", media.encode())]
    scope = {"method": method, "raw_path": path, "query_string": query, "headers": headers}
    return fingerprint(Call(scope, None, None, None, {}, ""), body)  # type: ignore[arg-type]


@given(value=JSON)
def test_neither_white_space_nor_order_nor_escapes_make_another_request(value: Any) -> None:
    plain = json.dumps(value).encode()
    airy = json.dumps(_reversed(value), indent=2, ensure_ascii=False).encode("utf-8", "surrogatepass")

    assert of(plain) == of(airy)


@given(one=JSON, other=JSON)
def test_another_value_is_another_request(one: Any, other: Any) -> None:
    same = json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)

    assert (of(json.dumps(one).encode()) == of(json.dumps(other).encode())) == same


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (b"1.5", b'"1.5"'), (b"1.10", b"1.1"), (b"1", b"1.0"), (b"true", b"1"), (b"null", b"{}"), (b"[]", b"{}"),
        (b"[1,2]", b"[2,1]"), (b"1", b"10"),
        (b"1.5", b'{"\\ud800":"1.5"}'), (b'{"a":1,"a":2}', b'{"a":2}'), (b"0.1", b"0.10000000000000000555"), (b"{", b"{ "),
        (b"NaN", b"Infinity"), (b"\xff", b"\xfe"), (b"[" * 9000, b"[" * 9001),
    ],
)  # fmt: skip
def test_what_some_reader_may_tell_apart_is_told_apart(one: bytes, other: bytes) -> None:
    assert of(one) != of(other)


def test_method_path_query_and_media_type_belong_to_the_request() -> None:
    usual = of(b"{}")
    others = [
        of(b"{}", method="PUT"), of(b"{}", path=b"/orders/1"), of(b"{}", query=b"a=1"), of(b"{}", "application/merge-patch+json"),
    ]  # fmt: skip

    assert len({usual, *others}) == 5
    assert of(b"{}", "Application/JSON; charset=utf-8") == usual


def test_what_is_not_json_counts_byte_for_byte() -> None:
    assert of(b'{"a": 1}', "text/plain") != of(b'{"a":1}', "text/plain")


@pytest.mark.parametrize("field", ["client", "subject", "partner", "issuer"])
def test_the_key_of_one_caller_is_not_that_of_another(field: str) -> None:
    other = replace(CALLER, **{field: "globex"})

    assert identity(CALLER, "orders.submit", b"key-0001") != identity(other, "orders.submit", b"key-0001")


def test_nor_that_of_another_operation_or_another_key() -> None:
    found = {identity(CALLER, operation, key) for operation in ("orders.submit", "orders.cancel") for key in (b"k-1", b"k-2")}

    assert len(found) == 4


def test_quotes_and_tokens_do_not_matter() -> None:
    renewed = replace(CALLER, token_id="another", expires_at=17)

    assert identity(CALLER, "o", b'"key-0001"') == identity(renewed, "o", b"key-0001")


@given(st.tuples(*[st.text(max_size=3)] * 2), st.tuples(*[st.text(max_size=3)] * 2))
def test_no_two_callers_share_an_identity(one: tuple[str, str], other: tuple[str, str]) -> None:
    first, second = (identity(Caller(client, subject, frozenset()), "o", b"k") for client, subject in (one, other))

    assert (first == second) == (one == other)


def _reversed(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _reversed(value[name]) for name in reversed(value)}
    return [_reversed(item) for item in value] if isinstance(value, list) else value
