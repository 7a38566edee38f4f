"""One call of the REST API and its answer, free of HTTP machinery so that a composite can make calls of its own."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from sandbox.salesforce import wire
from sandbox.salesforce.errors import ApiError, SeveralRecords, parse_error
from sandbox.salesforce.org import Org

LOCATED = "Location"


@dataclass(frozen=True, slots=True)
class Call:
    """`path` is what follows `/services/data/vNN.N`, split and unquoted; header names are lower case."""

    org: Org
    method: str
    version: str
    path: tuple[str, ...]
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    raw: bytes = b""
    parsed: Any = None  # the body where it is not raw: inside a composite

    @property
    def base(self) -> str:
        return f"/services/data/v{self.version}"

    def under(self, count: int) -> "Call":
        """The same call with the first segments of its path dropped."""
        return replace(self, path=self.path[count:])

    def body(self) -> dict[str, Any]:
        body = self.parsed
        if body is None:
            kind = self.headers.get("content-type", "application/json").partition(";")[0].strip().lower()
            if kind != "application/json":
                raise ApiError(415, "UNSUPPORTED_MEDIA_TYPE", f"Content type {kind} is not supported for this resource")
            try:
                body = wire.loads(self.raw)
            except wire.NotJson as error:
                raise parse_error(
                    f"The HTTP entity body is required, but this request has no entity body or is no JSON: {error}"
                ) from None
        if not isinstance(body, dict):
            raise parse_error("Can not deserialize: unexpected array or scalar, an object is required")
        return body


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    body: Any = None  # None: no body at all
    headers: Mapping[str, str] = field(default_factory=dict)


def refused(error: ApiError, base: str) -> Answer:
    if isinstance(error, SeveralRecords):
        return Answer(300, [f"{base}/sobjects/{error.sobject}/{id_}" for id_ in error.found])
    return Answer(error.status, error.body())
