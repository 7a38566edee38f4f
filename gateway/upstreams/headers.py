"""What passes between caller and upstream: nothing that holds for one connection only, nothing that names a caller from outside.

RFC 9110 section 7.6.1. What is to be said of the way here is said anew.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from gateway.ingress import IDENTITY
from gateway.pipeline import Call
from gateway.upstreams.connection import Head, Headers
from gateway.upstreams.endpoint import Address

_HOP_BY_HOP = frozenset(
    {
        b"connection", b"keep-alive", b"proxy-authenticate", b"proxy-authorization", b"proxy-connection", b"te", b"trailer",
        b"transfer-encoding", b"upgrade",
    }
)  # fmt: skip
_OURS = frozenset({b"host", b"authorization", b"dpop", b"expect", b"content-length", b"x-correlation-id", b"forwarded"})
# By these some frameworks would serve another path, or another method, than the one that was decided upon.
_OVERRIDES = frozenset(
    {b"x-original-url", b"x-rewrite-url", b"x-http-method", b"x-http-method-override", b"x-method-override"}
)  # fmt: skip
_NEVER_SENT = _HOP_BY_HOP | _OURS | _OVERRIDES | IDENTITY
_NEVER_PASSED_BACK = _HOP_BY_HOP | {b"server", b"date", b"alt-svc", b"strict-transport-security"}
_FAMILIES = (b"x-forwarded-", b"x-trivium-", b"sec-websocket-")
_HOST = re.compile(rb"[A-Za-z0-9._:\[\]-]{1,255}")
_COOKIE_PATH = re.compile(rb";\s*path=([^;]*)", re.IGNORECASE)
_COOKIE_DOMAIN = re.compile(rb";\s*domain=[^;]*", re.IGNORECASE)
VIA = (b"via", b"1.1 trivium")


@dataclass(frozen=True)
class Passing:
    """The rules of one service. `prefix`: what its paths begin with here, but not there.

    `credential`: the caller's own Authorization passes; `forwarded`: the upstream is told of the caller's address and of the
    URL that was called; `marked`: Via says in both directions that we were between.
    """

    prefix: str = ""
    credential: bool = False
    cookies: bool = True
    forwarded: bool = True
    marked: bool = False

    def outgoing(self, call: Call) -> Headers:
        """Without Host, Content-Length and Expect, which are the request's own."""
        headers: Headers = call.scope["headers"]
        never = _NEVER_SENT | _named(headers) if b"connection" in call.headers else _NEVER_SENT
        kept = [header for header in headers if _passes(header[0], never)]
        if not self.cookies:
            kept = [header for header in kept if header[0] != b"cookie"]
        if self.credential:
            kept += [header for header in headers if header[0] == b"authorization"]
        kept.append((b"x-correlation-id", call.correlation_id.encode()))
        if self.forwarded:
            kept += self._way_here(call)
        if self.marked:
            kept.append(VIA)
        return kept

    def incoming(self, head: Head, address: Address) -> Headers:
        never = _NEVER_PASSED_BACK | _named(head.headers)
        kept = [header for header in head.headers if header[0] not in never]
        if head.status in (204, 304):  # they have no body, whatever its length would be
            kept = [header for header in kept if header[0] != b"content-length"]
        if self.prefix:
            kept = [(name, self._moved(name, value, address)) for name, value in kept if self.cookies or name != b"set-cookie"]
        if self.marked:
            kept.append(VIA)
        return kept

    def _way_here(self, call: Call) -> Headers:
        """RFC 7239, and the older spelling of the same."""
        scope = call.scope
        address = scope["client"][0] if scope.get("client") else ""
        proto, host = str(scope.get("scheme", "http")), call.headers.get(b"host", b"")
        said = [f'for="[{address}]"' if ":" in address else f"for={address}"] if address else []
        headers: Headers = [(b"x-forwarded-proto", proto.encode())]
        if address:
            headers.append((b"x-forwarded-for", address.encode()))
        if _HOST.fullmatch(host):
            said.append(f'host="{host.decode()}"')
            headers.append((b"x-forwarded-host", host))
        if self.prefix:
            headers.append((b"x-forwarded-prefix", self.prefix.encode()))
        headers.append((b"forwarded", ";".join([*said, f"proto={proto}"]).encode()))
        return headers

    def _moved(self, name: bytes, value: bytes, address: Address) -> bytes:
        """A header that names a place of the upstream's names it as it is called here."""
        if name in (b"location", b"content-location"):
            return self._location(value.decode("latin-1"), address).encode("latin-1")
        if name == b"set-cookie":
            value = _COOKIE_DOMAIN.sub(b"", value)
            return _COOKIE_PATH.sub(lambda found: b"; Path=" + self._cookie_path(found[1], address), value)
        return value

    def _location(self, text: str, address: Address) -> str:
        try:
            parts = urlsplit(text)
        except ValueError:
            return text
        if parts.netloc and parts.netloc.lower() != address.authority.lower():
            return text
        if not parts.path.startswith("/") or not _below(parts.path, address.path):
            return text
        rest = parts.path[len(address.path) :]
        return parts._replace(scheme="", netloc="", path=self.prefix + ("" if rest == "/" else rest)).geturl()

    def _cookie_path(self, path: bytes, address: Address) -> bytes:
        said = path.strip(b' "').decode("latin-1")
        rest = said[len(address.path) :] if _below(said, address.path) else "/"
        return (self.prefix + rest).rstrip("/").encode("latin-1")


def _passes(name: bytes, never: frozenset[bytes]) -> bool:
    """Spelled with underscores too: CGI and its heirs cannot tell the two apart."""
    if b"_" in name:
        name = name.replace(b"_", b"-")
    return name not in never and not name.startswith(_FAMILIES)


def _named(headers: Sequence[tuple[bytes, bytes]]) -> frozenset[bytes]:
    """The headers that Connection says are for the next neighbour only."""
    return frozenset(part.strip().lower() for name, value in headers if name == b"connection" for part in value.split(b","))


def _below(path: str, base: str) -> bool:
    return not base or path == base or path.startswith(base + "/")
