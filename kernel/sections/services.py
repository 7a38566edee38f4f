"""`[[services]]`, `[[canaries]]`, `[[mirrors]]`: upstreams beside our own layers, and where a share of the calls goes."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, model_validator

from kernel.secrets import SecretRef
from kernel.sections.base import Section

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,39}$")]
Seconds = Annotated[float, Field(gt=0, le=3600)]
Share = Annotated[float, Field(ge=0, le=1)]
_PREFIX = re.compile(r"(?:/[a-z0-9][a-z0-9-]*)+/v[0-9]{1,3}")


def _upstream_url(text: str) -> str:
    parts = urlsplit(text)
    plain = text.isascii() and not (parts.query or parts.fragment or parts.username)
    if parts.scheme not in ("http", "https") or not parts.hostname or not plain:
        raise ValueError("an upstream is http:// or https://, a host and, if need be, a path; credentials go into `token`")
    return text.rstrip("/")


Url = Annotated[str, AfterValidator(_upstream_url)]


class Credential(Section):
    """What we show to an upstream: a bearer token, or any value in a header of this name."""

    secret: SecretRef
    header: Annotated[str, Field(pattern=r"^[A-Za-z0-9-]{1,64}$")] = "Authorization"


Token = Literal["none", "forward"] | Credential
NO_TOKEN: Literal["none"] = "none"  # noqa: S105 - the absence of one


class Retries(Section):
    """How often a call is made at most, and what all repetitions together may be: a share of the calls, and a few a second.

    Repeated is only what surely was not sent, or what may be sent twice (RFC 9110 section 9.2.2).
    """

    attempts: Annotated[int, Field(ge=1, le=10)] = 3
    statuses: list[Annotated[int, Field(ge=500, le=599)]] = [502, 503, 504]
    within: Seconds | None = None
    budget: Share = 0.1
    per_second: Annotated[float, Field(ge=0, le=1000)] = 1.0


class Health(Section):
    """Active checks of each upstream; none without a path. 2xx is healthy."""

    path: Annotated[str, Field(pattern=r"^(/.*)?$")] = ""
    interval: Seconds = 10.0
    timeout: Seconds = 2.0
    healthy: Annotated[int, Field(ge=1, le=100)] = 2
    unhealthy: Annotated[int, Field(ge=1, le=100)] = 3


class Ejection(Section):
    """Failures in a row after which an upstream gets no calls while others can take them; and after which it gets none at all.

    `pause`: for how long, doubled each time it fails again at once, up to `longest_pause`.
    """

    failures: Annotated[int, Field(ge=1, le=1000)] = 5
    breaker: Annotated[int, Field(ge=1, le=1000)] = 20
    pause: Seconds = 5.0
    longest_pause: Seconds = 120.0


class Connections(Section):
    """To each upstream: open at once, callers that may wait for one, seconds to open one, seconds an idle one is kept."""

    most: Annotated[int, Field(ge=1, le=10_000)] = 100
    waiting: Annotated[int, Field(ge=0, le=100_000)] = 1000
    connect: Seconds = 2.0
    keep: Annotated[float, Field(ge=0, le=600)] = 4.0  # servers usually keep them longer


class WebSockets(Section):
    """Bytes of the largest message, and seconds without any message after which the connection ends."""

    largest: Annotated[int, Field(ge=1, le=16_777_216)] = 1_048_576
    idle: Seconds = 300.0


class ScopeMap(Section):
    """Scopes where the document names none: for what only reads, for the rest, and for operations by their operationId."""

    read: str = ""
    write: str = ""
    operations: Mapping[str, str] = Field(default_factory=dict)


class Service(Section):
    """A service that is not ours, governed by its OpenAPI document."""

    name: Name
    contract: Path
    prefix: str
    upstreams: Annotated[list[Url], Field(min_length=1, max_length=100)]
    owner: str = ""
    audience: Literal["internal", "partner", "public"] = "internal"
    lifecycle: Mapping[str, Any] = Field(default_factory=dict)
    scopes: ScopeMap = ScopeMap()
    omit: list[str] = []  # operationIds that are not offered
    public: list[str] = []  # operationIds that need no token
    websockets: list[str] = []  # operationIds of GET operations that open one
    token: Token = NO_TOKEN
    host: Literal["upstream", "keep"] = "upstream"
    forwarded: bool = True
    cookies: bool = False
    errors: Literal["wrap", "pass"] = "wrap"
    limits: Mapping[str, list[Mapping[str, Any]]] = Field(default_factory=dict)
    extensions: Mapping[str, Any] = Field(default_factory=dict)
    timeout: Annotated[float, Field(gt=0, le=300)] = 10.0
    stall: Seconds = 60.0
    max_body: Annotated[int, Field(ge=0)] = 1_048_576
    balancing: Literal["round-robin", "least"] = "round-robin"
    retries: Retries = Retries()
    health: Health = Health()
    ejection: Ejection = Ejection()
    connections: Connections = Connections()
    websocket: WebSockets = WebSockets()

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if not _PREFIX.fullmatch(self.prefix):
            raise ValueError(f"the prefix {self.prefix} ends in its major version, e.g. /partner-catalog/v1")
        strange = [name for name in self.extensions if not name.startswith("x-trivium-")]
        if strange:
            raise ValueError(f"extensions begin with x-trivium-, unlike {', '.join(strange)}")
        return self

    @property
    def api(self) -> str:
        """What the service is called where an API is named."""
        return f"services/{self.name}"


class Canary(Section):
    """A share of each client's calls, or all calls of named clients, go to other upstreams or to another major version.

    `by`: "client" keeps a client (or each value of the header `key` that it sends) on one side; "request" decides anew each time.
    """

    name: Name
    api: str
    operations: list[str] = []  # operationIds; all of the API's if empty
    share: Share = 0.0
    clients: list[str] = []
    by: Literal["client", "request"] = "client"
    key: str = ""
    upstreams: list[Url] = []
    version: Annotated[str, Field(pattern=r"^(v[0-9]{1,3})?$")] = ""

    @model_validator(mode="after")
    def _one_target(self) -> Self:
        if bool(self.upstreams) == bool(self.version):
            raise ValueError("a canary leads to `upstreams` or to another `version`: say one of them")
        return self


class Mirror(Section):
    """A share of the calls is repeated to a shadow, whose answers are compared and thrown away.

    `ignore`: JSON pointers of members that may differ, `*` standing for any step; `queue`: calls that may wait for it.
    """

    name: Name
    api: str
    upstreams: Annotated[list[Url], Field(min_length=1, max_length=100)]
    operations: list[str] = []
    share: Share = 1.0
    safe_only: bool = True
    token: Token = NO_TOKEN
    headers: list[str] = ["content-type"]
    ignore: list[Annotated[str, Field(pattern=r"^/")]] = []
    timeout: Seconds = 10.0
    queue: Annotated[int, Field(ge=1, le=10_000)] = 100
    at_once: Annotated[int, Field(ge=1, le=100)] = 4
    largest: Annotated[int, Field(ge=0, le=1_048_576)] = 65_536
