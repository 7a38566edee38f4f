"""Token-based authentication: OAuth 1.0a with HMAC-SHA256 (RFC 5849), every nonce once.

https://docs.oracle.com/en/cloud/saas/netsuite/ns-online-help/section_1534941088.html
"""

import base64
import hashlib
import hmac
import re
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import parse_qsl, quote, unquote

from sandbox.netsuite.account import ACCOUNT, CONSUMER_KEY, CONSUMER_SECRET, HOST, TOKEN_ID, TOKEN_SECRET

SKEW = 300  # seconds a timestamp may be off
PAIR = re.compile(r'\s*([A-Za-z_]+)="([^"]*)"\s*(?:,|$)')
REQUIRED = ("oauth_consumer_key", "oauth_token", "oauth_nonce", "oauth_timestamp", "oauth_signature_method", "oauth_signature")


def encoded(text: str) -> str:
    return quote(text, safe="~")


def base_string(method: str, url: str, params: Iterable[tuple[str, str]]) -> str:
    """RFC 5849 section 3.4.1; `url` without its query, `params` decoded and without realm and signature."""
    pairs = sorted((encoded(name), encoded(value)) for name, value in params)
    normalized = "&".join(f"{name}={value}" for name, value in pairs)
    return "&".join((method.upper(), encoded(url), encoded(normalized)))


def signature(base: str, consumer_secret: str, token_secret: str) -> str:
    key = f"{encoded(consumer_secret)}&{encoded(token_secret)}".encode()
    return base64.b64encode(hmac.new(key, base.encode(), hashlib.sha256).digest()).decode()


class Rejected(Exception):
    """A signed request that is not believed; `problem` is the error that the header names."""

    def __init__(self, problem: str) -> None:
        super().__init__(problem)
        self.problem = problem


@dataclass
class Signatures:
    """Verifies signed requests and remembers their nonces for as long as their timestamps are fresh."""

    clock: Callable[[], datetime]
    seen: set[tuple[str, str]] = field(default_factory=set)
    order: deque[tuple[int, tuple[str, str]]] = field(default_factory=deque)

    def verify(self, header: str, method: str, host: str, path: str, query: str) -> None:
        """`path` and `query` as they stand on the wire; raises Rejected."""
        sent = {name: unquote(value) for name, value in PAIR.findall(header)}
        for name in REQUIRED:
            if not sent.get(name):
                raise Rejected("parameter_absent")
        if sent["oauth_signature_method"] != "HMAC-SHA256":
            raise Rejected("signature_method_rejected")
        if sent["oauth_consumer_key"] != CONSUMER_KEY:
            raise Rejected("consumer_key_unknown")
        if sent["oauth_token"] != TOKEN_ID or sent.get("realm") != ACCOUNT:
            raise Rejected("token_rejected")
        stamp = self._stamp(sent["oauth_timestamp"])
        params = [(name, value) for name, value in sent.items() if name.startswith("oauth_") and name != "oauth_signature"]
        params += parse_qsl(query, keep_blank_values=True)
        # A client signs the URL it was given: the account's own host, or the address it was pointed to.
        urls = [f"{scheme}://{one}{path}" for one in (host, HOST) for scheme in ("https", "http")]
        made = (signature(base_string(method, url, params), CONSUMER_SECRET, TOKEN_SECRET) for url in urls)
        if not any(hmac.compare_digest(one.encode(), sent["oauth_signature"].encode()) for one in made):
            raise Rejected("signature_invalid")
        self._once(stamp, (sent["oauth_timestamp"], sent["oauth_nonce"]))

    def _stamp(self, text: str) -> int:
        now = int(self.clock().timestamp())
        if not re.fullmatch(r"[0-9]{1,12}", text) or abs(now - int(text)) > SKEW:
            raise Rejected("timestamp_refused")
        return int(text)

    def _once(self, stamp: int, nonce: tuple[str, str]) -> None:
        now = int(self.clock().timestamp())
        while self.order and self.order[0][0] < now - 2 * SKEW:
            self.seen.discard(self.order.popleft()[1])
        if nonce in self.seen:
            raise Rejected("nonce_used")
        self.seen.add(nonce)
        self.order.append((stamp, nonce))
