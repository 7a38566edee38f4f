"""Every refusal in NetSuite's error body: type, title, status and o:errorDetails."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from starlette.responses import Response

from sandbox.netsuite import wire

RFC2616 = "https://www.w3.org/Protocols/rfc2616/rfc2616-sec10.html"
SECTIONS = {400: "#sec10.4.1", 401: "#sec10.4.2", 403: "#sec10.4.4", 404: "#sec10.4.5", 405: "#sec10.4.6", 500: "#sec10.5.1"}
ERROR_TYPE = "application/vnd.oracle.resource+json; type=error; charset=UTF-8"
LEAD = "Error while accessing a resource. "


@dataclass
class Refused(Exception):
    """A request that NetSuite refuses. `where` names the place: o:errorPath, o:errorQueryParam, o:errorHeader or o:errorUrl."""

    status: int
    code: str
    detail: str
    where: dict[str, str] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    title: str | None = None
    outer: dict[str, str] = field(default_factory=dict)  # members beside o:errorDetails
    kind: str | None = None

    def body(self) -> dict[str, Any]:
        return {
            "type": self.kind or RFC2616 + SECTIONS.get(self.status, ""),
            "title": self.title or HTTPStatus(self.status).phrase,
            "status": self.status,
            **self.outer,
            "o:errorDetails": [{"detail": self.detail, **self.where, "o:errorCode": self.code}],
        }

    def response(self) -> Response:
        return answer(self.body(), self.status, ERROR_TYPE, self.headers)


def answer(body: Any, status: int, media: str, headers: Mapping[str, str] | None = None) -> Response:
    return Response(wire.text(body).encode(), status, dict(headers or {}), media)


def invalid_value(name: str, value: Any, path: str) -> Refused:
    """A value or reference that the field does not take."""
    shown = value if isinstance(value, str) else wire.text(value)
    detail = f"{LEAD}You have entered an Invalid Field Value {shown} for the following field: {name}"
    return Refused(400, "INVALID_CONTENT", detail, {"o:errorPath": path})


def invalid_content(detail: str, path: str | None = None) -> Refused:
    return Refused(400, "INVALID_CONTENT", detail, {"o:errorPath": path} if path else {})


def user_error(detail: str, path: str | None = None) -> Refused:
    """A business rule said no."""
    return Refused(400, "USER_ERROR", LEAD + detail, {"o:errorPath": path} if path else {})


def missing(label: str) -> Refused:
    return user_error(f"Please enter value(s) for: {label}.")


def nonexistent(url: str) -> Refused:
    detail = "The record instance does not exist. Provide a valid record instance ID."
    return Refused(404, "NONEXISTENT_ID", detail, {"o:errorUrl": url})


def not_found(detail: str, url: str) -> Refused:
    return Refused(404, "NOT_FOUND", detail, {"o:errorUrl": url})


def invalid_parameter(name: str, detail: str) -> Refused:
    return Refused(400, "INVALID_PARAMETER", detail, {"o:errorQueryParam": name})


def invalid_header(name: str, detail: str) -> Refused:
    return Refused(400, "INVALID_HEADER", detail, {"o:errorHeader": name})


def method_not_allowed(method: str, allowed: str) -> Refused:
    return Refused(
        405, "METHOD_NOT_ALLOWED", f"The {method} method is not allowed for this resource.", headers={"Allow": allowed}
    )


def query_error(detail: str) -> Refused:
    return Refused(400, "INVALID_PARAMETER", f"Invalid search query. {detail}", {"o:errorQueryParam": "q"})


def closed_period() -> Refused:
    return user_error("You cannot create, edit or delete a transaction in a closed or locked accounting period.", "tranDate")


def too_many() -> Refused:
    """The 429 in its odd form: titled Bad Request, with an o:errorCode beside the details."""
    detail = "Concurrent request limit exceeded. Request blocked."
    outer = {"o:errorCode": "USER_ERROR"}
    return Refused(429, "CONCURRENCY_LIMIT_EXCEEDED", detail, title="Bad Request", outer=outer, kind=RFC2616)


def unexpected(error_id: str) -> Refused:
    detail = f"An unexpected error occurred. Error ID: {error_id}"
    return Refused(500, "UNEXPECTED_ERROR", detail, headers={"X-N-OperationId": error_id})


def changed_meanwhile() -> Refused:
    return Refused(400, "USER_ERROR", f"{LEAD}RCRD_HAS_BEEN_CHANGED: Record has been changed.")
