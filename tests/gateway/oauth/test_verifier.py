"""Every way to spoil a token is refused, and a good one is cheap to see again."""

import base64
import hmac
import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from joserfc import jws
from joserfc.jwk import ECKey
from joserfc.jws import JWSRegistry

from gateway.oauth.access_token import Bearer
from gateway.oauth.jws import LONGEST, decode, is_low
from gateway.oauth.public_keys import read_key
from gateway.oauth.server import AuthorizationServer
from gateway.oauth.verifier import Verifier
from gateway.pipeline import Caller
from kernel.problem import Unauthorized
from tests.gateway.oauth.holding import mirrored

ISSUER = "https://api.example.test"
pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)  # which one makes no difference to a token


@pytest.fixture
def now(clock) -> int:
    return int(clock.now().timestamp())


@pytest.fixture
def claims(now) -> dict[str, Any]:
    return {
        "iss": ISSUER, "aud": ISSUER, "sub": "tvc_desk", "client_id": "tvc_desk", "scope": "quotes:read quotes:write", "iat": now,
        "exp": now + 600, "jti": "token-1", "plan": "gold", "accounts": ["A1", "A2"],
    }  # fmt: skip


def signed(server: AuthorizationServer, claims: dict[str, Any] | bytes, **header: Any) -> bytes:
    """A token with our own true signature over whatever it says."""
    key = server.trust.active_key()
    told = {"alg": "ES256", "typ": "at+jwt", "kid": key.kid} | header
    told = {name: value for name, value in told.items() if value is not None}
    return raw_signed(server, json.dumps(told).encode(), claims if isinstance(claims, bytes) else json.dumps(claims).encode())


def raw_signed(server: AuthorizationServer, header: bytes, payload: bytes) -> bytes:
    """The signature is true, so only our reading can refuse it."""
    text = encoded(header) + b"." + encoded(payload)
    signature = JWSRegistry(algorithms=["ES256"]).get_alg("ES256").sign(text, server.trust.active_key().key)
    return text + b"." + encoded(signature if is_low(signature) else mirrored(signature))


def encoded(raw: bytes) -> bytes:
    return base64.urlsafe_b64encode(raw).rstrip(b"=")


async def refused(server: AuthorizationServer, token: bytes) -> str:
    with pytest.raises(Unauthorized) as refusal:
        await server.verifier.verify(token)
    assert server.verifier.recall(token) is None
    return refusal.value.detail


async def test_a_good_token_tells_everything_about_its_caller(server, claims, now) -> None:
    caller = await server.verifier.verify(signed(server, claims))

    assert caller == Caller(
        client="tvc_desk", subject="tvc_desk", scopes=frozenset({"quotes:read", "quotes:write"}), plan="gold",
        accounts=frozenset({"A1", "A2"}), token_id="token-1", expires_at=now + 600, issued_at=now,
        key_id=server.trust.active_key().kid,
    )  # fmt: skip


async def test_what_the_server_issues_the_verifier_accepts(server) -> None:
    token = server.tokens.issue("tvc_worker", ["internal:forward"], accounts=["A9"])
    caller = await server.verifier.verify(token.encode())

    assert (caller.client, caller.scopes, caller.accounts) == ("tvc_worker", {"internal:forward"}, {"A9"})


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"iss": "https://evil.test"}, "another issuer"), ({"iss": ISSUER + "/"}, "another issuer"),
        ({"aud": "https://other.test"}, "another audience"), ({"aud": ["https://other.test"]}, "another audience"),
        ({"aud": None}, "another audience"), ({"aud": {"a": 1}}, "another audience"), ({"aud": [1]}, "another audience"),
        ({"exp": -1}, "expired"), ({"exp": 0}, "expired"), ({"exp": None}, "lacks exp"), ({"exp": "9999999999"}, "lacks exp"),
        ({"exp": True}, "lacks exp"), ({"exp": 1e12}, "lacks exp"), ({"exp": 864_000}, "longer than any"),
        ({"iat": 60}, "not valid yet"), ({"iat": None}, "lacks iat"), ({"nbf": 60}, "not valid yet"), ({"nbf": "0"}, "lacks nbf"),
        ({"sub": None}, "lacks sub"), ({"sub": ""}, "lacks sub"), ({"client_id": None}, "lacks client_id"),
        ({"jti": None}, "lacks jti"),
        ({"jti": 7}, "lacks jti"), ({"scope": None}, "lacks scope"), ({"scope": ["quotes:read"]}, "lacks scope"),
        ({"plan": 7}, "plan or accounts"), ({"accounts": "A1"}, "plan or accounts"), ({"accounts": [1]}, "plan or accounts"),
    ],
)  # fmt: skip
async def test_a_claim_that_is_wrong_or_missing_is_refused(server, claims, now, change, why) -> None:
    relative = {k: now + v if k in ("exp", "iat", "nbf") and type(v) is int else v for k, v in change.items()}
    spoiled = {name: value for name, value in (claims | relative).items() if value is not None}

    assert why in await refused(server, signed(server, spoiled))


async def test_one_of_several_audiences_is_enough_and_clocks_may_differ_a_little(server, claims, now) -> None:
    caller = await server.verifier.verify(signed(server, claims | {"aud": ["https://other.test", ISSUER], "iat": now + 4}))

    assert caller.client == "tvc_desk"


@pytest.mark.parametrize("typ", [None, "JWT", "at+jwt2", "", "application/json", 7, ["at+jwt"]])
async def test_a_token_of_another_kind_is_refused(server, claims, typ) -> None:
    assert "typ" in await refused(server, signed(server, claims, typ=typ))


@pytest.mark.parametrize("typ", ["AT+JWT", "application/at+jwt"])
async def test_both_spellings_of_the_kind_are_accepted(server, claims, typ) -> None:
    assert (await server.verifier.verify(signed(server, claims, typ=typ))).client == "tvc_desk"


@pytest.mark.parametrize(
    "header",
    [{"jku": "https://evil.test/jwks"}, {"x5u": "https://evil.test"}, {"crit": ["exp"]}, {"crit": []}, {"b64": False},
     {"x5c": ["a"]}, {"cty": "JWT"}, {"jwk": {"kty": "EC"}}, {"zip": "DEF"}],
)  # fmt: skip
async def test_a_header_that_brings_keys_or_rules_of_its_own_is_refused(server, claims, header) -> None:
    assert "not accepted" in await refused(server, signed(server, claims, **header))


async def test_an_embedded_key_is_never_used(server, claims) -> None:
    mine = ECKey.generate_key("P-256")
    header = {"alg": "ES256", "typ": "at+jwt", "jwk": mine.as_dict(private=False)}

    assert "not accepted" in await refused(server, jws.serialize_compact(header, json.dumps(claims), mine).encode())


@pytest.mark.parametrize("kid", ["unknown", "", "../../dev/null", "' OR 1=1 --", None, 7, ["a"], "a" * 300])
async def test_a_key_id_is_a_name_to_look_up_and_nothing_else(server, claims, kid) -> None:
    assert "unknown" in await refused(server, signed(server, claims, kid=kid))


async def test_no_algorithm_but_ours_is_accepted(server, claims) -> None:
    body, kid = encoded(json.dumps(claims).encode()), server.trust.active_key().kid
    public = server.trust.active_key().key.as_pem(private=False)

    for alg in ("none", "None", "nOnE", "HS256", "HS512", "RS256", "ES384", "ES256K", "EdDSA", "", None, 7):
        text = encoded(json.dumps({"alg": alg, "typ": "at+jwt", "kid": kid}).encode()) + b"." + body
        confused = encoded(hmac.digest(public, text, "sha256"))
        for signature in (confused, encoded(b"x"), encoded(bytes(64))):
            assert "not signed with" in await refused(server, text + b"." + signature)


async def test_a_signature_by_another_key_or_over_other_words_is_refused(server, claims) -> None:
    key, token = server.trust.active_key(), signed(server, claims)
    foreign = jws.serialize_compact(
        {"alg": "ES256", "typ": "at+jwt", "kid": key.kid}, json.dumps(claims), ECKey.generate_key("P-256")
    )
    head, _, signature = token.split(b".")
    changed = head + b"." + encoded(json.dumps(claims | {"scope": "orders:write"}).encode()) + b"." + signature

    for spoiled in (foreign.encode(), changed, head + b"." + token.split(b".")[1] + b"." + encoded(bytes(64))):
        assert "signature" in await refused(server, spoiled)


async def test_members_named_twice_are_refused_although_truly_signed(server, claims, now) -> None:
    key = server.trust.active_key().kid
    payload = json.dumps(claims)[:-1] + ', "scope": "admin:all"}'
    header = f'{{"alg": "none", "alg": "ES256", "typ": "at+jwt", "kid": "{key}"}}'

    assert "twice" in await refused(server, signed(server, payload.encode()))
    assert "twice" in await refused(server, raw_signed(server, header.encode(), json.dumps(claims).encode()))


@pytest.mark.parametrize(
    "payload", [b"[" * 3000, b'{"a":' * 900, b"[]", b'"text"', b"\xff\xfe{\x00}\x00", b'{"exp": NaN}', b"1" * 5000]
)
async def test_json_that_is_deep_broken_or_no_object_is_refused_before_it_can_hurt(server, payload) -> None:
    assert await refused(server, signed(server, payload))


async def test_json_in_another_encoding_is_refused(server, claims) -> None:
    assert "JSON" in await refused(server, signed(server, json.dumps(claims).encode("utf-16")))


async def test_a_token_that_is_too_long_is_refused_unread(server, claims) -> None:
    assert "longer" in await refused(server, signed(server, claims | {"padding": "x" * LONGEST}))


async def test_a_header_that_is_too_long_is_refused(server, claims) -> None:
    assert "header is too long" in await refused(server, signed(server, claims, kid="k" * 600))


async def test_a_token_has_one_spelling_only(server, claims) -> None:
    token = signed(server, claims)
    alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    # 64 bytes leave four bits of the last character unused: its neighbour decodes to the same signature.
    neighbour = alphabet[alphabet.index(token[-1]) ^ 1]

    assert "canonical" in await refused(server, token[:-1] + bytes([neighbour]))
    for spoiled in (
        token + b"=",
        token + b"\n",
        b" " + token,
        token + b".",
        token + b".x",
        token.replace(b".", b"..", 1),
        b"",
        b"..",
        b"a.b",
    ):
        assert await refused(server, spoiled)


async def test_the_mirror_image_of_a_signature_is_refused_although_it_verifies(server, claims) -> None:
    token = signed(server, claims)
    text, _, signature = token.rpartition(b".")
    mirror = mirrored(decode(signature))
    key = read_key(server.trust.active_key().public_jwk())

    assert key.verifies("ES256", text, mirror)
    assert "signature" in await refused(server, text + b"." + encoded(mirror))


async def test_every_token_we_issue_has_the_one_signature_we_accept(server) -> None:
    tokens = [server.tokens.issue("tvc_desk", ["quotes:read"]) for _ in range(40)]

    assert all(is_low(decode(token.encode().rpartition(b".")[2])) for token in tokens)


@pytest.mark.parametrize(
    "bound", [{}, {"jkt": "short"}, {"jkt": 7}, {"jwk": {"kty": "EC"}}, {"kid": "k"}, "jkt", None, {"jkt": "a" * 43, "x": "y"}]
)
async def test_a_binding_that_cannot_be_checked_is_no_binding_to_ignore(server, claims, bound) -> None:
    assert "bound" in await refused(server, signed(server, claims | {"cnf": bound}))


async def test_a_binding_and_a_partner_are_told_of_the_caller(server) -> None:
    bound = {"jkt": "j" * 43, "x5t#S256": "x" * 43}
    token = server.tokens.sign("tvc_desk", ["quotes:read"], Bearer(partner="northwind", confirmation=bound))
    caller = await server.verifier.verify(token.encode())

    assert (caller.partner, caller.issuer) == ("northwind", "")
    assert dict(caller.confirmation) == bound


async def test_what_is_remembered_ends_with_the_key_set_it_was_checked_by(server) -> None:
    token = server.tokens.issue("tvc_desk", ["quotes:read"]).encode()
    await server.verifier.verify(token)
    before = server.verifier.recall(token)
    server.trust.generation += 1

    assert before is not None
    assert server.verifier.recall(token) is None
    assert await server.verifier.verify(token) == before


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(position=st.integers(min_value=0), to=st.sampled_from(b"ABCabc019-_."))
async def test_any_single_changed_byte_is_refused(server, position: int, to: int) -> None:
    token = bytearray(server.tokens.issue("tvc_desk", ["quotes:read"]).encode())
    position %= len(token)
    if token[position] == to:
        return
    token[position] = to

    assert await refused(server, bytes(token))


async def test_a_token_seen_before_is_recalled_until_it_ends(server, clock) -> None:
    token = server.tokens.issue("tvc_desk", ["quotes:read"]).encode()
    unseen = server.verifier.recall(token)
    caller = await server.verifier.verify(token)

    assert unseen is None
    assert server.verifier.recall(token) is caller


async def test_a_recalled_token_is_checked_anew_after_a_minute_and_dies_on_time(server, clock) -> None:
    token = server.tokens.issue("tvc_desk", ["quotes:read"]).encode()
    await server.verifier.verify(token)
    await _pass(server, clock, 61)
    after_a_minute = server.verifier.recall(token)
    await _pass(server, clock, 530)
    await server.verifier.verify(token)
    living = server.verifier.recall(token)
    await _pass(server, clock, 9)

    assert after_a_minute is None
    assert living is not None
    assert server.verifier.recall(token) is None
    assert "expired" in await refused(server, token)


async def test_the_memory_of_tokens_is_bounded_and_keeps_those_in_use(server, clock) -> None:
    verifier = Verifier(server.names, server.trust, clock, resource_metadata="https://x.test", remember=3)
    tokens = [server.tokens.issue(f"tvc_{n}", ["quotes:read"]).encode() for n in range(5)]
    for token in tokens:
        await verifier.verify(token)
        verifier.recall(tokens[0])

    assert [verifier.recall(token) is not None for token in tokens] == [True, False, False, True, True]


async def test_a_refusal_tells_where_to_learn_more_and_does_not_repeat_the_token(server) -> None:
    with pytest.raises(Unauthorized) as refusal:
        await server.verifier.verify(b"secret-looking-token")

    challenge = refusal.value.headers["WWW-Authenticate"]
    assert challenge.startswith('Bearer error="invalid_token", error_description="')
    assert f'resource_metadata="{ISSUER}/.well-known/oauth-protected-resource"' in challenge
    assert "secret-looking" not in challenge + refusal.value.detail


async def _pass(server: AuthorizationServer, clock, seconds: float) -> None:
    clock.pass_seconds(seconds)
    server.trust.stale(clock.monotonic())
    await server.trust.current()
