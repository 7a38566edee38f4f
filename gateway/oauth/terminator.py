"""Which certificate the caller showed is known from the TLS terminator alone; from anybody else such a header is dropped unread.

The terminator has proved that the caller holds the certificate's key. It is told in one of three ways: RFC 9440's Client-Cert,
Envoy's X-Forwarded-Client-Cert, or nginx's escaped PEM in a header of any name.
"""

import base64
import binascii
import hashlib
import ssl
from collections.abc import MutableMapping
from urllib.parse import unquote

from cryptography import x509
from starlette.types import Scope

from gateway.oauth.jws import encode
from gateway.proxies import PEER, address, plain, within
from kernel.sections.terminator import Terminator as Settings

_FOUND = "trivium.certificate"  # in the ASGI scope, which no caller can write into
_KNOWN = ("client-cert", "client-cert-chain", "x-forwarded-client-cert", "x-ssl-client-cert", "x-client-cert", "ssl-client-cert")


class BadCertificate(ValueError):
    """The certificate cannot be read; the message is safe to show."""


class Terminator:
    """Reads what the trusted terminator says, and drops what others say."""

    def __init__(self, said: Settings | None = None) -> None:
        self._said = said or Settings()
        self._header = self._said.header.lower().encode()
        self._networks = tuple(plain(network) for network in self._said.addresses)
        names = {*_KNOWN, self._header.decode()}
        self.headers = frozenset(name.encode() for known in names for name in (known, known.replace("-", "_")))

    @property
    def is_there(self) -> bool:
        """Whether anybody at all is believed about certificates."""
        return bool(self._networks)

    @property
    def verifies_chain(self) -> bool:
        """Whether a certificate that arrives was issued by an authority that the terminator trusts."""
        return self._said.verifies_chain

    def take(self, scope: Scope, headers: MutableMapping[bytes, bytes]) -> None:
        """Removes every such header from the request; what the terminator said stays for `certificate`."""
        if self.headers.isdisjoint(headers):
            return
        told = [value for name, value in scope["headers"] if name == self._header]
        if len(told) == 1 and self._is_trusted(scope.get(PEER) or scope.get("client")):
            scope[_FOUND] = bytes(told[0])
        scope["headers"] = [header for header in scope["headers"] if header[0] not in self.headers]
        for name in self.headers.intersection(headers):
            del headers[name]

    def certificate(self, scope: Scope) -> bytes | None:
        """The caller's certificate (DER), None when there is none. Raises BadCertificate."""
        told: bytes | None = scope.get(_FOUND)
        if told is None:
            return None
        try:
            return _READERS[self._said.format](told.decode("ascii"))
        except ValueError:  # of base64, of UTF-8, of PEM
            raise BadCertificate("the client certificate cannot be read") from None

    def _is_trusted(self, peer: tuple[str, int] | None) -> bool:
        found = address(peer[0]) if peer else None
        return found is not None and within(found, self._networks)


def thumbprint(certificate: bytes) -> str:
    """`x5t#S256` (RFC 8705 section 3.1): base64url of the SHA-256 of the DER."""
    return encode(hashlib.sha256(certificate).digest()).decode()


def has_subject(certificate: bytes, subject: str) -> bool:
    """Whether it is the certificate of this distinguished name (RFC 4514); compared as names, not as text."""
    try:
        return x509.load_der_x509_certificate(certificate).subject == x509.Name.from_rfc4514_string(subject)
    except ValueError:
        return False


def _rfc9440(told: str) -> bytes:
    """Section 2.2: one byte sequence of structured fields."""
    if len(told) < 3 or told[0] != ":" or told[-1] != ":":
        raise ValueError("not a byte sequence")
    return base64.b64decode(told[1:-1], validate=True)


def _xfcc(told: str) -> bytes:
    """Envoy appends: only the last element is what the proxy next to us saw."""
    fields = dict(part.partition("=")[::2] for part in _split(_split(told, ",")[-1], ";"))
    named = {name.strip().lower(): value for name, value in fields.items()}
    if "cert" not in named:
        raise ValueError("set Envoy's set_current_client_cert_details to send the certificate itself")
    return _pem(named["cert"].strip('"'))


def _split(text: str, at: str) -> list[str]:
    """Splits outside of quotes; Envoy escapes a quote within them by a backslash."""
    parts, quoted, escaped = [""], False, False
    for character in text:
        if character == '"' and not escaped:
            quoted = not quoted
        escaped = character == "\\" and not escaped
        if character == at and not quoted:
            parts.append("")
        else:
            parts[-1] += character
    return parts


def _pem(told: str) -> bytes:
    try:
        return ssl.PEM_cert_to_DER_cert(unquote(told, errors="strict"))
    except binascii.Error:
        raise ValueError("not PEM") from None


_READERS = {"rfc9440": _rfc9440, "xfcc": _xfcc, "pem": _pem}
