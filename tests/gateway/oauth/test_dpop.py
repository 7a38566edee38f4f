"""A DPoP proof proves one thing: that whoever makes this very request now holds this very key."""

import base64
import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.oauth.dpop import LASTING, BadProof, Proofs
from gateway.oauth.once import OnceHere
from tests.gateway.oauth.holding import Holder, rsa

URL, HERE = "https://api.example.test", "https://api.example.test/process/orders/v1/orders"
HOLDER = Holder()


@pytest.fixture
def proofs(clock) -> Proofs:
    return Proofs(URL, clock, OnceHere(clock))


def asked(method: str = "GET", path: str = "/process/orders/v1/orders") -> dict[str, Any]:
    return {"type": "http", "method": method, "path": path, "raw_path": path.encode(), "headers": []}


async def refused(proofs: Proofs, proof: str | bytes, token: bytes | None = None, **scope: str) -> str:
    with pytest.raises(BadProof) as refusal:
        await proofs.check(proof if isinstance(proof, bytes) else proof.encode(), asked(**scope), token=token)
    return str(refusal.value)


@pytest.mark.parametrize("algorithm", ["ES256", "RS256", "PS256", "EdDSA"])
async def test_a_good_proof_tells_the_thumbprint_of_its_key_whatever_the_algorithm(proofs, clock, algorithm) -> None:
    holder = rsa(algorithm) if algorithm in ("RS256", "PS256") else Holder(algorithm)
    proof = holder.proof("GET", HERE, clock.now(), "token")

    assert await proofs.check(proof.encode(), asked(), token=b"token") == holder.thumbprint
    assert (len(proof.partition(".")[0]) > 512) == (algorithm in ("RS256", "PS256"))  # more than joserfc would take


async def test_a_proof_counts_once(proofs, clock) -> None:
    proof = HOLDER.proof("GET", HERE, clock.now())
    await proofs.check(proof.encode(), asked())

    assert "used before" in await refused(proofs, proof)


async def test_as_long_as_a_proof_could_be_used_it_is_remembered(proofs, clock) -> None:
    made = clock.now()
    clock.pass_seconds(-5)  # the sender's clock is ahead
    proof = HOLDER.proof("GET", HERE, made)
    await proofs.check(proof.encode(), asked())
    said = []
    for _ in range(0, LASTING + 5, 5):
        said.append(await refused(proofs, proof))
        clock.pass_seconds(5)

    assert "used before" in said[0]
    assert "iat" in said[-1]
    assert all("used before" in each or "iat" in each for each in said)


async def test_a_refused_proof_is_not_used_up(proofs, clock) -> None:
    proof = HOLDER.proof("POST", HERE, clock.now())

    assert "htm" in await refused(proofs, proof, method="GET")
    assert await proofs.check(proof.encode(), asked("POST")) == HOLDER.thumbprint


async def test_two_holders_may_name_their_proofs_alike(proofs, clock) -> None:
    for holder in (HOLDER, Holder()):
        assert await proofs.check(holder.proof("GET", HERE, clock.now(), jti="1").encode(), asked()) == holder.thumbprint


@pytest.mark.parametrize(
    ("claims", "why"),
    [
        ({"htm": "POST"}, "htm"), ({"htm": "get"}, "htm"), ({"htm": None}, "htm"), ({"htm": ["GET"]}, "htm"),
        ({"htu": URL}, "htu"), ({"htu": HERE + "/"}, "htu"), ({"htu": HERE + "/1"}, "htu"),
        ({"htu": None}, "htu"), ({"htu": 7}, "htu"),
        ({"htu": HERE.replace("https", "http")}, "htu"), ({"htu": HERE.replace("api", "evil")}, "htu"),
        ({"htu": HERE.replace("test/", "test:444/")}, "htu"), ({"htu": HERE.replace("//", "//user@")}, "htu"),
        ({"htu": "/process/orders/v1/orders"}, "htu"), ({"htu": HERE.replace("/v1/", "/v1/../v1/")}, "htu"),
        ({"htu": HERE.replace("/v1/", "%2fv1/")}, "htu"), ({"htu": "https://[::1/x"}, "htu"), ({"htu": HERE + "\u00e9"}, "htu"),
        ({"htu": HERE.replace("test/", "test:x/")}, "htu"),
        ({"iat": None}, "iat"), ({"iat": "1772366400"}, "iat"), ({"iat": 1772366400.5}, "iat"), ({"iat": True}, "iat"),
        ({"iat": 10**400}, "iat"), ({"iat": 0}, "iat"),
        ({"jti": None}, "jti"), ({"jti": ""}, "jti"), ({"jti": 7}, "jti"), ({"jti": "x" * 300}, "jti"),
        ({"ath": None}, "ath"), ({"ath": "x"}, "ath"), ({"ath": 7}, "ath"),
    ],
)  # fmt: skip
async def test_a_proof_for_something_else_is_none(proofs, clock, claims, why) -> None:
    assert why in await refused(proofs, HOLDER.proof("GET", HERE, clock.now(), "token", **claims), b"token")


@pytest.mark.parametrize("seconds", [-61, 6, 3600])
async def test_a_proof_of_another_time_is_none(proofs, clock, seconds) -> None:
    made = int(clock.now().timestamp()) + seconds

    assert "iat" in await refused(proofs, HOLDER.proof("GET", HERE, clock.now(), iat=made))


@pytest.mark.parametrize("seconds", [-60, -1, 0, 5])
async def test_clocks_may_differ_and_networks_may_be_slow(proofs, clock, seconds) -> None:
    proof = HOLDER.proof("GET", HERE, clock.now(), iat=int(clock.now().timestamp()) + seconds)

    assert await proofs.check(proof.encode(), asked()) == HOLDER.thumbprint


@pytest.mark.parametrize(
    "htu",
    [
        HERE, HERE + "?page=2", HERE + "#top", HERE.replace("https://api", "HTTPS://API"), HERE.replace("test/", "test:443/"),
        HERE.replace("orders/v1", "%6Frders/v1"),
    ],
)  # fmt: skip
async def test_an_address_may_be_spelled_in_each_way_that_means_the_same(proofs, clock, htu) -> None:
    assert await proofs.check(HOLDER.proof("GET", htu, clock.now()).encode(), asked()) == HOLDER.thumbprint


async def test_the_public_address_counts_behind_a_proxy_that_takes_its_path_away(clock) -> None:
    proofs = Proofs("http://127.0.0.1:8080/gateway/", clock, OnceHere(clock))
    good = HOLDER.proof("GET", "http://127.0.0.1:8080/gateway/orders", clock.now())
    inner = HOLDER.proof("GET", "http://127.0.0.1:8080/orders", clock.now())

    assert await proofs.check(good.encode(), asked(path="/orders")) == HOLDER.thumbprint
    assert "htu" in await refused(proofs, inner, path="/orders")


@pytest.mark.parametrize(
    ("header", "why"),
    [
        ({"typ": "JWT"}, "typ"), ({"typ": None}, "typ"), ({"typ": 7}, "typ"), ({"typ": "at+jwt"}, "typ"),
        ({"alg": "none"}, "signature"),
        ({"alg": "HS256"}, "signature"), ({"alg": "RS256"}, "signature"), ({"alg": None}, "signature"),
        ({"alg": ["ES256"]}, "signature"), ({"alg": "ES384"}, "signature"),
        ({"jwk": None}, "key"), ({"jwk": []}, "key"), ({"jwk": {"kty": "oct", "k": "AAAA"}}, "key"),
        ({"jwk": HOLDER.key.as_dict(private=True)}, "public"), ({"jwk": Holder().jwk}, "signature"),
        ({"jwk": Holder("ES384").jwk}, "curve"),
        ({"kid": "1"}, "header"), ({"jku": "https://evil.test"}, "header"), ({"x5u": "https://evil.test"}, "header"),
        ({"crit": ["b64"], "b64": False}, "header"), ({"b64": False}, "header"), ({"x5c": []}, "header"),
        ({"pad": "x" * 3000}, "too long"),
    ],
)  # fmt: skip
async def test_a_proof_with_another_header_is_none(proofs, clock, header, why) -> None:
    assert why in await refused(proofs, HOLDER.proof("GET", HERE, clock.now(), header=header))


@pytest.mark.parametrize(
    "proof",
    [b"", b".", b"a.b.c", b"\xff",
     HOLDER.sign(b"{}", b"[" * 3000).encode(), HOLDER.sign(b'{"jwk":' * 60, b"{}").encode(), b"a" * 9000,
     HOLDER.sign(json.dumps({"alg": "ES256", "typ": "dpop+jwt", "jwk": HOLDER.jwk}).encode(), b'{"jti": "\\ud800"}').encode()],
)  # fmt: skip
async def test_what_is_no_token_at_all_is_no_proof(proofs, proof) -> None:
    said = await refused(proofs, proof)

    assert '"' not in said  # it is quoted in a header


async def test_members_named_twice_prove_nothing(proofs, clock) -> None:
    claims = f'{{"htm": "POST", "htm": "GET", "htu": "{HERE}", "iat": {int(clock.now().timestamp())}, "jti": "1"}}'
    header = json.dumps({"alg": "ES256", "typ": "dpop+jwt", "jwk": HOLDER.jwk}).encode()

    assert "twice" in await refused(proofs, HOLDER.sign(header, claims.encode()))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=80)
@given(position=st.integers(min_value=0), to=st.integers(0, 255))
async def test_no_changed_byte_makes_it_the_proof_of_anything(proofs, clock, position: int, to: int) -> None:
    proof = bytearray(HOLDER.proof("GET", HERE, clock.now()).encode())
    position %= len(proof)
    if proof[position] == to:
        return
    proof[position] = to

    assert await refused(proofs, bytes(proof))


async def test_keys_met_before_are_not_read_again_and_the_memory_of_them_is_bounded(proofs, clock) -> None:
    for _ in range(3):
        await proofs.check(HOLDER.proof("GET", HERE, clock.now()).encode(), asked())

    assert len(proofs._keys) == 1


def test_an_rsa_proof_has_the_size_that_the_design_speaks_of() -> None:
    header = {"alg": "RS256", "typ": "dpop+jwt", "jwk": rsa().jwk}

    assert 500 < len(base64.urlsafe_b64encode(json.dumps(header, separators=(",", ":")).encode())) < 600
