"""An issuer's documents over real HTTP: followed to where they lead by themselves and nowhere else, not too far, not too long."""

import asyncio
import gzip
import json
import threading
from typing import Any

import pytest
from pydantic import ValidationError

from gateway.oauth.discovery import LARGEST, Discovery, NotFetched, Published
from kernel.sections.issuers import Issuer
from tests.gateway.oauth.holding import Holder, rsa

HOLDER = Holder("ES256", "k1")
OPENID, OAUTH, KEYS = "/realm/.well-known/openid-configuration", "/.well-known/oauth-authorization-server/realm", "/keys"


class Server:
    """Answers with what stands under a path: JSON, or an ASGI application of the test's own."""

    def __init__(self) -> None:
        self.paths: dict[str, Any] = {}
        self.asked: list[str] = []
        self.headers: dict[str, str] = {}

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        path = scope["path"]
        self.asked.append(path)
        said = self.paths.get(path)
        if callable(said):
            await said(scope, receive, send)
            return
        body = json.dumps(said).encode()
        headers = [(b"content-type", b"application/json"), *((k.encode(), v.encode()) for k, v in self.headers.items())]
        await send({"type": "http.response.start", "status": 404 if said is None else 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})


@pytest.fixture
def issuer(served) -> tuple[Server, str]:
    server = Server()
    url = f"http://127.0.0.1:{served(server)}/realm"
    server.paths[OPENID] = {"issuer": url, "jwks_uri": url.removesuffix("/realm") + KEYS}
    server.paths[KEYS] = {"keys": [HOLDER.jwk, rsa().jwk, {"kty": "broken"}]}
    return server, url


async def fetched(url: str, **said: Any) -> Published:
    discovery = Discovery(Issuer.model_validate({"name": "there", "url": url, "algorithms": ["ES256"], **said}), deadline=0.5)
    try:
        return await discovery.fetch()
    finally:
        await discovery.close()


async def refused(url: str, **said: Any) -> str:
    with pytest.raises(NotFetched) as refusal:
        await fetched(url, **said)
    return str(refusal.value)


async def test_the_keys_are_found_and_those_of_other_algorithms_and_broken_ones_left_out(issuer) -> None:
    server, url = issuer
    found = await fetched(url)

    assert [key.kid for key in found.keys] == ["k1"]
    assert found.fresh_for == 600
    assert server.asked == [OPENID, KEYS]


async def test_metadata_is_found_where_rfc_8414_puts_it_too_or_where_it_is_said_to_be(issuer) -> None:
    server, url = issuer
    server.paths[OAUTH] = server.paths.pop(OPENID)
    by_rfc = await fetched(url)
    server.paths["/elsewhere"] = server.paths.pop(OAUTH)
    by_setting = await fetched(url, metadata=url.removesuffix("/realm") + "/elsewhere")

    assert [len(found.keys) for found in (by_rfc, by_setting)] == [1, 1]


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ("max-age=1200", 1200),
        ("public, max-age=86400", 3600),
        ("max-age=0", 60),
        ("no-store", 600),
        ("s-max-age=5", 600),
        ("MAX-AGE=90,x", 90),
    ],
)
async def test_keys_are_fresh_for_as_long_as_their_issuer_says_within_bounds(issuer, said, seconds) -> None:
    server, url = issuer
    server.headers["cache-control"] = said

    assert (await fetched(url)).fresh_for == seconds


@pytest.mark.parametrize(
    "changed",
    [
        {"issuer": "https://evil.test"}, {"issuer": None}, {"issuer": "http://127.0.0.1/realm/"},
        {"jwks_uri": None}, {"jwks_uri": 7},
        {"jwks_uri": "http://evil.test/keys"}, {"jwks_uri": "file:///etc/passwd"}, {"jwks_uri": "//evil.test"},
        {"jwks_uri": "https://user:secret@evil.test/keys"}, {"jwks_uri": "http://169.254.169.254/keys"}, {"jwks_uri": "https://[::1/"},
        {"jwks_uri": ""},
    ],
)  # fmt: skip
async def test_metadata_of_another_issuer_or_leading_anywhere_else_is_not_believed(issuer, changed) -> None:
    server, url = issuer
    server.paths[OPENID] |= changed

    said = await refused(url)

    assert "issuer" in said or "jwks_uri" in said
    assert KEYS not in server.asked


@pytest.mark.parametrize("keys", [{}, {"keys": []}, {"keys": {}}, [], "text", None, 7, {"keys": [{"kty": "oct", "k": "AAAA"}]}])
async def test_a_set_without_a_key_that_can_be_used_is_a_failure_and_no_empty_set(issuer, keys) -> None:
    server, url = issuer
    server.paths[KEYS] = keys

    assert await refused(url)


async def test_a_redirect_is_not_followed(issuer) -> None:
    server, url = issuer

    async def elsewhere(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 302, "headers": [(b"location", b"/stolen")]})
        await send({"type": "http.response.body", "body": b""})

    server.paths[KEYS] = elsewhere

    assert "302" in await refused(url)
    assert "/stolen" not in server.asked


@pytest.mark.parametrize("body", [b"{", b"\xff\xfe{\x00}\x00", b"[" * 100_000, b"<html>", b""])
async def test_what_is_not_json_is_a_failure(issuer, body) -> None:
    server, url = issuer

    async def odd(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": body})

    server.paths[KEYS] = odd

    assert "not" in await refused(url)


async def test_a_document_without_end_is_left_at_the_bound(issuer) -> None:
    server, url = issuer
    left = threading.Event()

    async def endless(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        leaving = asyncio.ensure_future(receive_until_gone(receive))
        while not leaving.done():
            await send({"type": "http.response.body", "body": b"[" * 65_536, "more_body": True})
            await asyncio.sleep(0)
        left.set()

    server.paths[KEYS] = endless

    assert f"longer than {LARGEST}" in await refused(url)
    assert await asyncio.to_thread(left.wait, 3)


async def receive_until_gone(receive: Any) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def test_a_compressed_document_is_not_unpacked(issuer) -> None:
    server, url = issuer

    async def packed(scope: Any, receive: Any, send: Any) -> None:
        headers = [(b"content-encoding", b"gzip")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": gzip.compress(b" " * 10_000_000)})

    server.paths[KEYS] = packed

    assert "compressed" in await refused(url)


async def test_a_server_that_stalls_is_left_in_time(issuer) -> None:
    server, url = issuer

    async def stalled(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await receive()
        await receive()  # until the client leaves

    server.paths[KEYS] = stalled
    async with asyncio.timeout(3):
        assert "did not answer" in await refused(url)


async def test_a_server_that_is_not_there_is_a_failure() -> None:
    assert "cannot be read" in await refused("http://127.0.0.1:9/realm")


@pytest.mark.parametrize(
    "said",
    [
        {"url": "http://issuer.test"}, {"url": "https://issuer.test?x=1"}, {"url": "https://user@issuer.test"}, {"url": "ftp://x"},
        {"url": ""}, {"name": "Entra"}, {"name": "a:b"}, {"name": "x" * 17}, {"algorithms": ["HS256"]}, {"algorithms": ["none"]},
        {"algorithms": []}, {"types": []}, {"leeway": 3600}, {"metadata": "http://issuer.test/x"}, {"unknown": 1},
    ],
)  # fmt: skip
def test_settings_that_would_trust_too_much_are_refused(said) -> None:
    with pytest.raises(ValidationError):
        Issuer.model_validate({"name": "entra", "url": "https://issuer.test", **said})
