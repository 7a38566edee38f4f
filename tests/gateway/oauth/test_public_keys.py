"""A key set is worth its good keys, and a key verifies nothing but its own kind."""

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc.jwk import ECKey, OctKey, OKPKey

from gateway.oauth.public_keys import ALGORITHMS, MOST_KEYS, BadKey, read_key, read_keys
from tests.gateway.oauth.holding import Holder, rsa

EC = Holder("ES256", "ec")
POINT = EC.jwk


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_each_algorithm_verifies_its_own_signature_and_no_changed_one(algorithm) -> None:
    holder = rsa(algorithm) if algorithm in ("RS256", "PS256") else Holder(algorithm)
    key = read_key(holder.jwk)
    head, body, signature = holder.sign({}, {}).encode().split(b".")
    raw = base64.urlsafe_b64decode(signature + b"==")

    assert key.verifies(algorithm, head + b"." + body, raw)
    assert not key.verifies(algorithm, head + b"." + body + b"x", raw)
    assert not key.verifies(algorithm, head + b"." + body, raw[:-1] + bytes([raw[-1] ^ 1]))
    assert not key.verifies(algorithm, head + b"." + body, b"")
    assert not key.verifies(algorithm, head + b"." + body, bytes(len(raw)))
    assert {
        other for other in (*ALGORITHMS, "none", "HS256", "ES384", None, 7) if key.verifies(other, head + b"." + body, raw)
    } == {algorithm}


@pytest.mark.parametrize("kind", ["EC", "RSA", "OKP"])
def test_the_thumbprint_is_that_of_rfc_7638(kind) -> None:
    key = {"EC": EC, "RSA": rsa(), "OKP": Holder("EdDSA")}[kind]

    assert read_key(key.jwk | {"kid": "x", "use": "sig"}).thumbprint == key.thumbprint


def test_the_example_of_rfc_7638_has_its_thumbprint() -> None:
    modulus = (
        "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64"
        "tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOp"
        "bISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw"
    )
    key = read_key({"kty": "RSA", "n": modulus, "e": "AQAB", "alg": "RS256", "kid": "2011-04-29"})

    assert key.thumbprint == "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"
    assert set(key.verifiers) == {"RS256"}


@pytest.mark.parametrize(
    "jwk",
    [
        None, [], "key", {}, {"kty": "oct", "k": "AAAA"}, OctKey.generate_key(256).as_dict(private=True), {"kty": ["EC"]},
        EC.key.as_dict(private=True), rsa().key.as_dict(private=True), POINT | {"crv": "P-384"}, POINT | {"crv": "secp256k1"},
        POINT | {"x": POINT["y"], "y": POINT["x"]}, POINT | {"x": "AA"}, POINT | {"x": 7}, POINT | {"x": None},
        POINT | {"x": "A" * 43}, POINT | {"y": POINT["y"] + "="}, POINT | {"use": "enc"}, POINT | {"key_ops": ["sign"]},
        POINT | {"key_ops": "verify"}, POINT | {"alg": "RS256"}, POINT | {"alg": "HS256"}, POINT | {"kid": 7},
        POINT | {"kid": "k" * 300}, {"kty": "EC"}, {"kty": "RSA", "n": "AQAB", "e": "AQAB"},
        {"kty": "RSA", "n": "_" * 171, "e": "AQAB"}, rsa().jwk | {"e": "AQ"}, rsa().jwk | {"e": "A" * 20},
        {"kty": "OKP", "crv": "Ed448", "x": "A" * 76}, {"kty": "OKP", "crv": "X25519", "x": "A" * 43},
        {"kty": "OKP", "crv": "Ed25519", "x": "AA"},
        ECKey.generate_key("P-384").as_dict(private=False), OKPKey.generate_key("X25519").as_dict(private=False),
    ],
)  # fmt: skip
def test_what_is_no_public_key_for_one_of_the_four_algorithms_is_refused(jwk) -> None:
    with pytest.raises(BadKey):
        read_key(jwk)


def test_one_bad_key_spoils_no_other() -> None:
    keys = read_keys({"keys": [{"kty": "EC"}, None, POINT, {"kty": "RSA", "n": "!", "e": 1}, rsa().jwk | {"kid": "rsa"}]})

    assert [key.kid for key in keys] == ["ec", "rsa"]


def test_a_set_is_read_to_a_bound_and_must_be_a_set() -> None:
    assert len(read_keys({"keys": [POINT] * (MOST_KEYS + 50)})) == MOST_KEYS
    for wrong in (None, [], {}, {"keys": {}}, {"keys": None}, "keys"):
        with pytest.raises(BadKey):
            read_keys(wrong)


JSON = st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=50), lambda inner: st.lists(inner, max_size=3))


@given(st.dictionaries(st.sampled_from(["kty", "crv", "x", "y", "n", "e", "kid", "use", "alg", "key_ops"]), JSON))
def test_no_key_makes_the_reader_fail_in_another_way(changed) -> None:
    for good in (POINT, rsa().jwk):
        jwk = json.loads(json.dumps(good | changed))
        try:
            said = read_key(jwk).kid
        except BadKey as refusal:
            said = str(refusal)

        assert isinstance(said, str)
