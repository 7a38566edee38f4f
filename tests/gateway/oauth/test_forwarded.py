"""A forwarded caller is believed from our own processes only, and gains nothing by being forwarded."""

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.oauth.forwarded import caller_header, forwarded_caller
from gateway.pipeline import Caller
from kernel.problem import BadRequest

INNER = Caller("tvc_worker", "tvc_worker", frozenset({"internal:forward", "crm:read"}), token_id="t", expires_at=9)
OUTER = Caller("tvc_partner", "ann", frozenset({"quotes:write"}), plan="gold", accounts=frozenset({"A", "B"}))


def test_the_outer_caller_arrives_with_its_identity_and_the_inner_tokens_authority() -> None:
    arrived = forwarded_caller(INNER, caller_header(OUTER))

    assert (arrived.client, arrived.subject, arrived.plan, arrived.accounts) == ("tvc_partner", "ann", "gold", {"A", "B"})
    assert arrived.scopes == {"crm:read"}
    assert (arrived.token_id, arrived.expires_at) == ("t", 9)


def test_a_token_that_may_not_forward_stays_its_own_caller() -> None:
    plain = Caller("tvc_x", "tvc_x", frozenset({"crm:read"}))

    assert forwarded_caller(plain, caller_header(OUTER)) is plain


def test_without_the_header_the_token_speaks_for_itself() -> None:
    assert forwarded_caller(INNER, None) is INNER


texts = st.text(min_size=1, max_size=20)
account_sets = st.none() | st.frozensets(st.text(max_size=10), max_size=5)


@given(texts, texts, texts, account_sets, account_sets)
def test_every_caller_travels_unchanged_and_accounts_only_narrow(client, subject, plan, accounts, own) -> None:
    presented = Caller("tvc_worker", "tvc_worker", INNER.scopes, accounts=own)
    arrived = forwarded_caller(presented, caller_header(Caller(client, subject, frozenset(), plan, accounts)))

    assert (arrived.client, arrived.subject, arrived.plan) == (client, subject, plan)
    if own is None:
        assert arrived.accounts == accounts
    else:
        assert arrived.accounts == (own if accounts is None else own & accounts)


def header(**changed: object) -> bytes:
    told = {"client": "c", "subject": "s", "plan": "p", "accounts": None} | changed
    return encoded(json.dumps({name: value for name, value in told.items() if value != "absent"}).encode())


def encoded(raw: bytes) -> bytes:
    return base64.urlsafe_b64encode(raw).rstrip(b"=")


@pytest.mark.parametrize(
    "value",
    [b"", b"!!", b"a", encoded(b"[]"), encoded(b'"text"'), encoded(b"[" * 9000), encoded(b"\xff\xfe"), b"A" * 20_000,
     header(accounts="absent"), header(plan="absent"), header(client=""), header(client=1), header(accounts="A"),
     header(accounts=[1])],
)  # fmt: skip
def test_a_header_that_cannot_be_read_is_refused(value) -> None:
    with pytest.raises(BadRequest, match="x-trivium-caller"):
        forwarded_caller(INNER, value)


def test_a_header_in_its_form_is_read() -> None:
    assert forwarded_caller(INNER, header()).client == "c"
