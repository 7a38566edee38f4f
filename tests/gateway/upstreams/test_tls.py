"""TLS to upstreams: the certificate must be good for the name, or nothing is sent."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from gateway.upstreams.cluster import Cluster, Rules
from gateway.upstreams.exchange import Request
from kernel.problem import PlatformDown


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """Key and self-signed certificate for `localhost` in one file."""
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(1).not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    file = tmp_path / "localhost.pem"
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    file.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    return file


@pytest.fixture
async def port(certificate: Path) -> AsyncIterator[int]:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi")
        await reader.read()
        writer.close()

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    server = await asyncio.start_server(answer, "localhost", 0, ssl=context)
    yield server.sockets[0].getsockname()[1]
    server.close()


async def ask(cluster: Cluster) -> bytes:
    try:
        begun = await cluster.exchange(Request("GET", b"/", []), 5)
        try:
            return await begun.read()
        finally:
            begun.end()
    finally:
        cluster.close()
        await asyncio.sleep(0.05)


async def test_a_certificate_that_is_trusted_will_do(port: int, certificate: Path) -> None:
    trust = ssl.create_default_context(cafile=str(certificate))

    assert await ask(Cluster("x", [f"https://localhost:{port}"], Rules(), tls=trust)) == b"hi"


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
async def test_one_that_is_not_or_is_for_another_name_will_not(port: int, certificate: Path, host: str) -> None:
    trust = ssl.create_default_context() if host == "localhost" else ssl.create_default_context(cafile=str(certificate))

    with pytest.raises(PlatformDown):
        await ask(Cluster("x", [f"https://{host}:{port}"], Rules(), tls=trust))
