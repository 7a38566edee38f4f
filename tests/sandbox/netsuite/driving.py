"""What the tests drive the imitation with: its address, a client that holds a token, and bodies to send."""

import ssl
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
from joserfc import jwt
from joserfc.jwk import ECKey

from sandbox.netsuite.account import CLIENT_ID
from sandbox.netsuite.app import NetSuite
from sandbox.netsuite.oauth import ASSERTION_TYPE, TOKEN_PATH
from sandbox.netsuite.wire import read

KID = "test-certificate"


# Everything here is plain HTTP on loopback: an empty TLS context spares every client the loading of certificates.
NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


class Clock:
    """The imitation's time: the real one, moved by `ahead`."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead


@dataclass
class Account:
    """The running imitation, spoken to as a client with a token would."""

    url: str
    netsuite: NetSuite
    clock: Clock
    key: ECKey
    http: httpx.Client

    @property
    def root(self) -> str:
        return f"{self.url}/services/rest"

    def assertion(self, algorithm: str = "ES256", key: Any = None, kid: str = KID, **claims: Any) -> str:
        now = int(self.clock().timestamp())
        usual = {"iss": CLIENT_ID, "scope": ["rest_webservices"], "aud": self.url + TOKEN_PATH, "iat": now, "exp": now + 600}
        known = {name: value for name, value in {**usual, **claims}.items() if value is not None}
        return jwt.encode({"typ": "JWT", "alg": algorithm, "kid": kid}, known, key or self.key, algorithms=[algorithm])

    def grant(self, assertion: str, **form: str) -> httpx.Response:
        usual = {"grant_type": "client_credentials", "client_assertion_type": ASSERTION_TYPE, "client_assertion": assertion}
        return self.http.post(self.url + TOKEN_PATH, data={**usual, **form})

    def trust(self, kid: str, key: Any) -> None:
        body = {"kid": kid, "public_key": key.as_pem(private=False).decode(), "client_id": CLIENT_ID}
        assert self.http.post(f"{self.url}/__sandbox__/certificates", json=body).status_code == 204

    def fault(self, **fault: Any) -> None:
        assert self.http.post(f"{self.url}/__sandbox__/faults", json=fault).status_code == 201

    def records(self, kind: str) -> list[dict[str, Any]]:
        return list(self.http.get(f"{self.url}/__sandbox__/records/{kind}").json())


class Client(httpx.Client):
    """An httpx client below /services/rest/record/v1 that reads numbers exactly."""

    def read(self, path: str, **params: Any) -> Any:
        response = self.get(path, params=params or None)
        assert response.status_code == 200, response.text
        return read(response.content)

    def made(self, path: str, body: Any, **params: Any) -> str:
        """The id of what a POST made."""
        response = self.post(path, json=body, params=params or None)
        assert response.status_code == 204, response.text
        return response.headers["Location"].rsplit("/", 1)[1]

    def refused(self, method: str, path: str, body: Any = None, **params: Any) -> dict[str, Any]:
        """The first detail of a 400."""
        response = self.request(method, path, json=body, params=params or None)
        assert response.status_code == 400, response.text
        return dict(response.json()["o:errorDetails"][0])

    def sql(self, q: str, *params: Any, **page: Any) -> Any:
        body = {"q": q, "params": list(params)}
        response = self.post("../../query/v1/suiteql", json=body, params=page, headers={"Prefer": "transient"})
        assert response.status_code == 200, response.text
        return response.json()


def order(customer: str, *lines: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A sales order or invoice body; without lines ten platform seats at 1200.00."""
    items = lines or (line("PLAT-ANNUAL", 10),)
    return {"entity": {"id": customer}, "item": {"items": list(items)}, **more}


def line(sku: str, quantity: int, **more: Any) -> dict[str, Any]:
    return {"item": {"externalId": sku}, "quantity": quantity, **more}
