import asyncio
from pathlib import Path
from urllib.parse import parse_qs

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, NoEncryption, PrivateFormat
from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey
from pydantic import SecretStr

from contracts.ports.system import Erp
from kernel.problem import PlatformBusy, PlatformDown
from kernel.secrets import SecretRef
from kernel.settings import BadSettings, Connection
from system_apis.connector import MissingCredential, Secrets
from system_apis.connectors.netsuite import connect
from system_apis.connectors.netsuite.tokens import BadKey, signing_key
from tests.system_apis.connectors.netsuite.conftest import EXPIRED, KEY, OwnClock, Scripted

NOTHING = {"items": [], "hasMore": False}


def keep(file: Path, content: str) -> None:
    file.write_text(content)


def secret(key: ECKey | RSAKey) -> SecretStr:
    return SecretStr(key.as_pem(private=True).decode())


@pytest.mark.parametrize(("curve", "algorithm"), [("P-256", "ES256"), ("P-384", "ES384"), ("P-521", "ES512")])
def test_an_elliptic_key_signs_by_its_curve(curve: str, algorithm: str) -> None:
    key = ECKey.generate_key(curve)

    signer, chosen = signing_key(secret(key))
    signed = jwt.encode({"alg": chosen}, {"iss": "x"}, signer, algorithms=[chosen])

    assert chosen == algorithm
    assert jwt.decode(signed, key, algorithms=[algorithm]).claims == {"iss": "x"}


def test_an_rsa_key_signs_by_pss_and_never_by_rs256() -> None:
    assert signing_key(secret(RSAKey.generate_key(2048)))[1] == "PS256"


def pem(key: ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey, passphrase: bytes = b"") -> str:
    lock = BestAvailableEncryption(passphrase) if passphrase else NoEncryption()
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, lock).decode()


@pytest.mark.parametrize(
    "wrong",
    [
        "",
        "secret-text",
        "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----",
        KEY.as_pem(private=False).decode(),
        pem(ec.generate_private_key(ec.SECP256K1())),
        pem(ed25519.Ed25519PrivateKey.generate()),
        pem(ec.generate_private_key(ec.SECP256R1()), b"locked"),
    ],
    ids=["empty", "text", "broken", "public", "other curve", "other kind", "with a passphrase"],
)
def test_what_cannot_sign_is_refused_without_showing_it(wrong: str) -> None:
    with pytest.raises(BadKey) as refusal:
        signing_key(SecretStr(wrong))

    assert not wrong or wrong not in str(refusal.value)


async def test_the_assertion_is_what_netsuite_demands(told: Erp, scripted: Scripted, clock: OwnClock) -> None:
    scripted.say(200, NOTHING)
    await told.find_tax_code("US-CA")
    form = parse_qs(scripted.tokens[0].body)
    assertion = jwt.decode(form["client_assertion"][0], KEY, algorithms=["ES256"])
    now = int(clock.now().timestamp())

    assert scripted.tokens[0].line == "POST /services/rest/auth/oauth2/v1/token HTTP/1.1"
    assert scripted.tokens[0].headers["content-type"] == "application/x-www-form-urlencoded"
    assert form["grant_type"] == ["client_credentials"]
    assert form["client_assertion_type"] == ["urn:ietf:params:oauth:client-assertion-type:jwt-bearer"]
    assert assertion.header == {"typ": "JWT", "alg": "ES256", "kid": "cert-1"}
    assert assertion.claims.pop("jti")
    assert assertion.claims == {
        "iss": "client-1",
        "scope": ["rest_webservices"],
        "aud": f"{scripted.url}/services/rest/auth/oauth2/v1/token",
        "iat": now,
        "exp": now + 300,
    }


async def test_a_token_serves_until_shortly_before_its_end(told: Erp, scripted: Scripted, clock: OwnClock) -> None:
    used = []
    for later in (0, 3299, 1, 3299):
        clock.seconds += later
        scripted.say(200, NOTHING)
        await told.find_tax_code("US-CA")
        used.append(scripted.asked[-1].headers["authorization"])

    assert used == ["Bearer token-1", "Bearer token-1", "Bearer token-2", "Bearer token-2"]


async def test_a_token_of_short_life_is_still_used(told: Erp, scripted: Scripted, clock: OwnClock) -> None:
    scripted.say_of_token(200, {"access_token": "short", "expires_in": "60"})
    for later in (0, 29, 2):
        clock.seconds += later
        scripted.say(200, NOTHING)
        await told.find_tax_code("US-CA")

    assert [one.headers["authorization"] for one in scripted.asked] == ["Bearer short", "Bearer short", "Bearer token-2"]


async def test_many_calls_with_an_expired_token_fetch_one_other(told: Erp, scripted: Scripted) -> None:
    scripted.say(200, NOTHING)
    await told.find_tax_code("US-CA")
    for _ in range(10):
        scripted.say(401, {}, f"WWW-Authenticate: {EXPIRED}")
    for _ in range(10):
        scripted.say(200, NOTHING)

    await asyncio.gather(*(told.find_tax_code(f"T-{n}") for n in range(10)))

    assert len(scripted.tokens) == 2


async def test_a_second_refusal_of_a_token_is_told(told: Erp, scripted: Scripted) -> None:
    for _ in range(2):
        scripted.say(401, {}, f"WWW-Authenticate: {EXPIRED}")

    with pytest.raises(PlatformDown) as refusal:
        await told.find_tax_code("US-CA")

    assert [one.headers["authorization"] for one in scripted.asked] == ["Bearer token-1", "Bearer token-2"]
    assert refusal.value.fix


async def test_another_kind_of_401_is_not_tried_twice(told: Erp, scripted: Scripted) -> None:
    scripted.say(401, {}, 'WWW-Authenticate: Bearer realm="TRIV", error="insufficient_scope"')

    with pytest.raises(PlatformDown):
        await told.find_tax_code("US-CA")

    assert len(scripted.asked) == len(scripted.tokens) == 1


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (400, {"error": "invalid_grant"}, PlatformDown),
        (401, {"error": "invalid_client"}, PlatformDown),
        (400, b"<html>", PlatformDown),
        (429, {}, PlatformBusy),
        (500, {}, PlatformDown),
        (200, {}, PlatformDown),
        (200, {"access_token": 7}, PlatformDown),
        (200, {"access_token": "a\r\nX-Evil: 1"}, PlatformDown),
    ],
)
async def test_without_a_token_nothing_is_asked(
    told: Erp, scripted: Scripted, status: int, body: object, kind: type[Exception]
) -> None:
    scripted.say_of_token(status, body)

    with pytest.raises(kind) as problem:
        await told.find_tax_code("US-CA")

    assert type(problem.value) is kind
    assert scripted.asked == []


async def test_a_refused_assertion_names_the_reason_and_the_fix(told: Erp, scripted: Scripted) -> None:
    scripted.say_of_token(400, {"error": "invalid_grant", "error_description": "<script>"})

    with pytest.raises(PlatformDown) as refusal:
        await told.find_tax_code("US-CA")

    assert refusal.value.detail == "NetSuite does not accept the client assertion (invalid_grant)"
    assert "certificate_id" in (refusal.value.fix or "")


async def test_a_rotated_key_signs_the_next_assertion(told: Erp, scripted: Scripted, key_file: Path) -> None:
    rotated = ECKey.generate_key("P-384")
    keep(key_file, rotated.as_pem(private=True).decode())
    scripted.say(200, NOTHING)

    await told.find_tax_code("US-CA")

    assert jwt.decode(parse_qs(scripted.tokens[0].body)["client_assertion"][0], rotated, algorithms=["ES384"]).claims


@pytest.mark.parametrize("content", ["", "no key at all"])
async def test_a_key_that_was_spoilt_meanwhile_is_down_with_what_to_do(
    told: Erp, scripted: Scripted, key_file: Path, content: str
) -> None:
    keep(key_file, content)

    with pytest.raises(PlatformDown) as refusal:
        await told.find_tax_code("US-CA")

    assert refusal.value.fix
    assert scripted.tokens == []


async def test_a_key_that_cannot_sign_stops_the_start(to_script: Connection, key_file: Path) -> None:
    keep(key_file, "no key at all")

    with pytest.raises(BadSettings, match=r"'netsuite-us': credentials\.private_key"):
        connect(to_script, Secrets(to_script))


@pytest.mark.parametrize("name", ["client_id", "certificate_id", "private_key"])
async def test_each_credential_is_demanded_by_name(to_script: Connection, name: str) -> None:
    fewer = {one: value for one, value in to_script.credentials.items() if one != name}
    lacking = to_script.model_copy(update={"credentials": fewer})

    with pytest.raises(MissingCredential, match=name):
        connect(lacking, Secrets(lacking))


async def test_a_private_key_in_plain_text_is_refused(to_script: Connection) -> None:
    plain = to_script.model_copy(update={"credentials": {**to_script.credentials, "private_key": "-----BEGIN"}})

    with pytest.raises(MissingCredential, match="must name a file or a variable"):
        connect(plain, Secrets(plain))


async def test_options_are_unknown(to_script: Connection) -> None:
    strange = to_script.model_copy(update={"options": {"account": "1"}})

    with pytest.raises(BadSettings, match="account"):
        connect(strange, Secrets(strange))


def test_the_reference_of_a_key_shows_no_key(key_file: Path) -> None:
    assert KEY.as_pem(private=True).decode().splitlines()[1] not in repr(SecretRef(file=key_file))
