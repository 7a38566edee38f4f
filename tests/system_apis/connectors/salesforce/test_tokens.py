import asyncio
import base64
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from joserfc import jwt
from joserfc.jwk import RSAKey
from pydantic import SecretStr

from contracts.ports.system import Crm
from kernel import http
from kernel.clock import SystemClock
from kernel.context import correlation_id
from kernel.problem import BadPlatformAnswer, PlatformBusy, PlatformDown
from kernel.secrets import SecretRef
from kernel.settings import BadSettings, Connection
from system_apis.connector import MissingCredential, Secrets
from system_apis.connectors.salesforce import connect
from system_apis.connectors.salesforce.options import options
from system_apis.connectors.salesforce.tokens import Session, Sessions, api_origin
from tests.conformance.sandboxed import Sandbox
from tests.system_apis.connectors.salesforce.conftest import Scripted

LIMIT = [{"errorCode": "REQUEST_LIMIT_EXCEEDED", "message": "TotalRequests Limit exceeded."}]


@pytest.fixture(scope="module")
def key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@pytest.fixture
def key_file(key: rsa.RSAPrivateKey, tmp_path: Path) -> Path:
    file = tmp_path / "private_key.pem"
    file.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return file


def keep(file: Path, text: str) -> None:
    file.write_text(text)


def lose(file: Path) -> None:
    file.unlink()


def public(key: rsa.RSAPrivateKey) -> str:
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def by_key(url: str, key_file: Path, **chosen: Any) -> Connection:
    credentials = {"client_id": "sandbox-salesforce", "username": "api@acme.example", "private_key": SecretRef(file=key_file)}
    return Connection(id="sf", vendor="salesforce", base_url=url, credentials=credentials, options=chosen)


def sessions_of(connection: Connection, base_url: str | None = None) -> tuple[Sessions, Any]:
    used = connection.model_copy(update={"base_url": base_url or connection.base_url})
    client = http.client(connection.base_url, timeout=5)
    return Sessions(used, options(used), Secrets(used), client, SystemClock()), client


@pytest.fixture
async def sessions(to_script: Connection) -> AsyncIterator[Sessions]:
    made, client = sessions_of(to_script)
    yield made
    await made.close()
    await client.aclose()


def shown(session: Session) -> tuple[str, str]:
    return session.token.get_secret_value(), session.origin


async def test_a_client_secret_is_sent_in_the_body_once_for_all(sessions: Sessions, scripted: Scripted) -> None:
    token = correlation_id.set("corr-12345")
    try:
        first = await sessions.current()
    finally:
        correlation_id.reset(token)

    assert shown(first) == ("session-1", scripted.url)
    assert await sessions.current() is first
    (asked,) = scripted.asked
    assert (asked.method, asked.path) == ("POST", "/services/oauth2/token")
    assert asked.headers["x-correlation-id"] == "corr-12345"
    assert parse_qs(asked.body) == {
        "grant_type": ["client_credentials"], "client_id": ["sandbox-salesforce"], "client_secret": ["sandbox-secret"],
    }  # fmt: skip


async def test_a_private_key_signs_a_short_assertion(scripted: Scripted, key_file: Path, key: rsa.RSAPrivateKey) -> None:
    sessions, client = sessions_of(by_key(scripted.url, key_file, jwt_audience="https://test.salesforce.com"))
    await sessions.current()
    await client.aclose()
    form = parse_qs(scripted.asked[0].body)
    signed = jwt.decode(form["assertion"][0], RSAKey.import_key(public(key)), algorithms=["RS256"])
    ahead = signed.claims["exp"] - SystemClock().now().timestamp()

    assert form["grant_type"] == ["urn:ietf:params:oauth:grant-type:jwt-bearer"]
    assert {k: v for k, v in signed.claims.items() if k != "exp"} == {
        "iss": "sandbox-salesforce", "sub": "api@acme.example", "aud": "https://test.salesforce.com",
    }  # fmt: skip
    assert 60 < ahead <= 180


async def test_the_sandbox_takes_the_assertion(sandbox: Sandbox, key_file: Path, key: rsa.RSAPrivateKey) -> None:
    sandbox.trust("trivium", public(key), "sandbox-salesforce")
    settings = by_key(sandbox.url, key_file)
    connector = connect(settings, Secrets(settings))
    try:
        account = await connector.ports[Crm].get_account(sandbox.records("Account")[0]["Id"])
    finally:
        await connector.close()

    assert account.number == "ACC-1000"


async def test_a_key_that_nobody_trusts_is_down_with_what_to_check(sandbox: Sandbox, key_file: Path) -> None:
    settings = by_key(sandbox.url, key_file)
    connector = connect(settings, Secrets(settings))
    try:
        with pytest.raises(PlatformDown) as refusal:
            await connector.probe()
    finally:
        await connector.close()

    assert "invalid assertion" in refusal.value.detail
    assert "private_key" in (refusal.value.fix or "")


async def test_a_key_that_is_none_is_down_and_not_shown(scripted: Scripted, key_file: Path) -> None:
    keep(key_file, "-----BEGIN PRIVATE KEY-----\nnot-a-key-at-all\n-----END PRIVATE KEY-----")
    sessions, client = sessions_of(by_key(scripted.url, key_file))

    with pytest.raises(PlatformDown) as refusal:
        await sessions.current()
    await client.aclose()

    assert "not-a-key" not in f"{refusal.value.detail}{refusal.value.fix}"
    assert scripted.asked == []


async def test_callers_who_come_together_share_one_token(sessions: Sessions, scripted: Scripted) -> None:
    found = await asyncio.gather(*(sessions.current() for _ in range(50)))

    assert len(scripted.asked) == 1
    assert {shown(one) for one in found} == {("session-1", scripted.url)}


async def test_callers_who_come_together_share_one_failure_and_the_next_tries_again(
    sessions: Sessions, scripted: Scripted
) -> None:
    scripted.say_token(403, LIMIT)

    found = await asyncio.gather(*(sessions.current() for _ in range(50)), return_exceptions=True)

    assert {type(one) for one in found} == {PlatformBusy}
    assert len(scripted.asked) == 1
    assert shown(await sessions.current())[0] == "session-2"


async def test_a_caller_who_gives_up_takes_nobody_with_it(sessions: Sessions, scripted: Scripted) -> None:
    scripted.hold.clear()
    hasty, patient = asyncio.create_task(sessions.current()), asyncio.create_task(sessions.current())
    await scripted.until(lambda: scripted.tokens != [])
    hasty.cancel()
    await asyncio.wait([hasty])
    scripted.hold.set()

    assert shown(await patient)[0] == "session-1"
    assert hasty.cancelled()
    assert len(scripted.asked) == 1


async def test_closing_ends_a_request_for_a_token(sessions: Sessions, scripted: Scripted) -> None:
    scripted.hold.clear()
    waiting = asyncio.create_task(sessions.current())
    await scripted.until(lambda: scripted.tokens != [])
    await sessions.close()
    await asyncio.wait([waiting])

    assert waiting.cancelled()


async def test_a_session_that_has_ended_is_replaced_but_not_its_successor(sessions: Sessions) -> None:
    first = await sessions.current()
    sessions.ended(first)
    second = await sessions.current()
    sessions.ended(first)

    assert shown(second)[0] == "session-2"
    assert await sessions.current() is second


async def test_a_changed_secret_counts_from_the_next_session(sessions: Sessions, scripted: Scripted, secret_file: Path) -> None:
    sessions.ended(await sessions.current())
    keep(secret_file, "rotated")
    await sessions.current()

    assert [parse_qs(one.body)["client_secret"] for one in scripted.asked] == [["sandbox-secret"], ["rotated"]]


async def test_a_secret_that_is_gone_is_down_with_its_place(sessions: Sessions, secret_file: Path) -> None:
    lose(secret_file)

    with pytest.raises(PlatformDown) as refusal:
        await sessions.current()

    assert str(secret_file) in (refusal.value.fix or "")


@pytest.mark.parametrize(
    ("status", "body", "kind", "said"),
    [
        (
            400,
            {"error": "invalid_grant", "error_description": "no client credentials user enabled"},
            PlatformDown,
            "no client cred",
        ),
        (401, {"error": "invalid_client"}, PlatformDown, "invalid_client"),
        (403, LIMIT, PlatformBusy, "TotalRequests"),
        (500, b"<html>", PlatformDown, "500"),
        (302, b"", BadPlatformAnswer, "302"),
        (200, b"", BadPlatformAnswer, "access_token"),
        (200, [], BadPlatformAnswer, "access_token"),
        (200, {"access_token": 7}, BadPlatformAnswer, "access_token"),
        (200, {"access_token": "a\r\nX-Evil: 1"}, BadPlatformAnswer, "access_token"),
    ],
)
async def test_an_answer_without_a_token_is_told_as_it_is(
    sessions: Sessions, scripted: Scripted, status: int, body: Any, kind: type[Exception], said: str
) -> None:
    scripted.say_token(status, body)

    with pytest.raises(kind, match=said):
        await sessions.current()


async def test_no_token_in_time_leaves_nothing_in_doubt(scripted: Scripted, to_script: Connection) -> None:
    client = http.client(scripted.url, timeout=0.2)
    sessions = Sessions(to_script, options(to_script), Secrets(to_script), client, SystemClock())
    scripted.hold.clear()

    with pytest.raises(PlatformDown, match="token") as problem:
        await sessions.current()
    await client.aclose()

    assert not problem.value.ambiguous


@pytest.mark.parametrize(
    ("base_url", "instance_url", "origin"),
    [
        ("https://acme.my.salesforce.com", "https://acme.my.salesforce.com", "https://acme.my.salesforce.com"),
        ("https://login.salesforce.com", "https://acme.my.salesforce.com/", "https://acme.my.salesforce.com"),
        ("http://sandbox.internal:12110", "http://sandbox.internal:12110", "http://sandbox.internal:12110"),
        ("http://127.0.0.1:12110", "https://acme.my.salesforce.com", "http://127.0.0.1:12110"),
        ("http://localhost:12110", None, "http://localhost:12110"),
        ("http://[::1]:12110", "http://elsewhere:12110", "http://[::1]:12110"),
        ("https://acme.my.salesforce.com", "http://acme.my.salesforce.com", None),
        ("https://acme.my.salesforce.com", "https://user@acme.my.salesforce.com", None),
        ("https://acme.my.salesforce.com", "https://acme.my.salesforce.com/elsewhere", None),
        ("https://acme.my.salesforce.com", "https://acme.my.salesforce.com\n", None),
        ("https://acme.my.salesforce.com", "", None),
        ("https://acme.my.salesforce.com", None, None),
        ("https://acme.my.salesforce.com", 7, None),
    ],
)
def test_a_token_goes_to_an_https_origin_or_to_the_base_url_only(base_url: str, instance_url: Any, origin: str | None) -> None:
    assert api_origin(base_url, instance_url) == origin


def with_credentials(**credentials: Any) -> Connection:
    return Connection(id="sf", vendor="salesforce", base_url="http://127.0.0.1:1", credentials=credentials)


REF = SecretRef(env="TRIVIUM_TEST_UNSET")


@pytest.mark.parametrize(
    ("credentials", "missing"),
    [
        ({}, "client_id"), ({"client_id": "c"}, "client_secret"), ({"client_id": "c", "private_key": REF}, "username"),
        ({"client_secret": REF}, "client_id"), ({"client_id": "c", "client_secret": "plain"}, "must name a file"),
        ({"client_id": "c", "username": "u", "private_key": "plain"}, "must name a file"),
    ],
)  # fmt: skip
def test_a_missing_credential_is_named_at_start(credentials: dict[str, Any], missing: str) -> None:
    settings = with_credentials(**credentials)

    with pytest.raises(MissingCredential, match=missing):
        connect(settings, Secrets(settings))


def test_two_ways_at_once_are_refused() -> None:
    settings = with_credentials(client_id="c", client_secret=REF, private_key=REF, username="u")

    with pytest.raises(BadSettings, match="not both"):
        connect(settings, Secrets(settings))


def test_no_session_shows_its_token() -> None:
    token = base64.b64encode(b"secret-session").decode()

    assert token not in repr(Session(SecretStr(token), "https://acme.my.salesforce.com"))
