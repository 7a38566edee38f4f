"""The NetSuite account on this machine: authentication at the door, then one request at a time from start to end."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from sandbox.faults import Faults
from sandbox.netsuite import errors
from sandbox.netsuite.account import ACCOUNT
from sandbox.netsuite.books import Books
from sandbox.netsuite.call import PREFIX, Call
from sandbox.netsuite.catalog import BY_LOWER
from sandbox.netsuite.errors import Refused
from sandbox.netsuite.jobs import Jobs
from sandbox.netsuite.oauth import TOKEN_PATH, Tokens
from sandbox.netsuite.present import View, plain
from sandbox.netsuite.records import Records
from sandbox.netsuite.resources import Resources
from sandbox.netsuite.seed import seed
from sandbox.netsuite.store import Store
from sandbox.netsuite.tables import tables
from sandbox.netsuite.tba import Rejected, Signatures

Clock = Callable[[], datetime]
LOGIN = "Invalid login attempt. For more details, see the Login Audit Trail in the NetSuite UI."


def utc_now() -> datetime:
    return datetime.now(UTC)


class NetSuite:
    """The imitation: state, door and refusals. `clock` is what it takes for now."""

    name = "netsuite"

    def __init__(self, clock: Clock = utc_now) -> None:
        self.clock = clock
        self.faults = Faults()
        self.certificates: dict[str, str] = {}
        self.app: ASGIApp = Starlette(routes=[Route("/{path:path}", Door(self))])
        self.reset()

    def reset(self) -> None:
        """Back to the seeded world; registered certificates stay, as they are the caller's set-up, not the world's."""
        self.faults.clear()
        self.tokens = Tokens(self.clock, self.certificates)
        self.signatures = Signatures(self.clock)
        records = Records(Books(Store(), self.clock))
        seed(records)
        self.resources = Resources(records, tables(records.books), Jobs())

    def records(self, kind: str) -> list[dict[str, Any]] | None:
        known = BY_LOWER.get(kind.lower())
        if known is None:
            return None
        books = self.resources.records.books
        view = View(books, "", expand=True)
        return [plain(view.record(record)) for record in books.store.all(known.name)]

    def refusal(self, kind: Any, request: Request) -> Response | None:
        match kind:
            case "rate_limited":
                return errors.too_many().response()
            case "server_error":
                return errors.unexpected("sandbox0001").response()
            case "locked_record":
                return errors.changed_meanwhile().response()
            case "closed_period":
                return errors.closed_period().response()
        return None

    def answer(self, call: Call) -> Response:
        try:
            if call.path == TOKEN_PATH:
                if call.method != "POST":
                    raise errors.method_not_allowed(call.method, "POST")
                return self.tokens.grant(call.body)
            if not call.path.startswith(PREFIX):
                raise errors.not_found("The requested resource does not exist.", call.path)
            self._admit(call)
            if call.prefers("respond-async"):
                return self._later(call)
            return self.resources.answer(call)
        except Refused as refused:
            return refused.response()

    def _later(self, call: Call) -> Response:
        """Runs the request as a job; what it answers becomes the job's result."""
        key = call.headers.get("x-netsuite-idempotency-key")
        self.resources.jobs.check(key)
        started = self.clock()
        try:
            response = self.resources.answer(call)
        except Refused as refused:
            response = refused.response()
        return self.resources.jobs.accept(response, key, started, self.clock())

    def _admit(self, call: Call) -> None:
        scheme, _, credentials = call.headers.get("authorization", "").partition(" ")
        match scheme.lower():
            case "bearer" if credentials.strip():
                if not self.tokens.valid(credentials.strip()):
                    raise unauthorized("Bearer", "invalid_token")
            case "bearer":
                raise malformed()
            case "oauth":
                try:
                    self.signatures.verify(credentials, call.method, call.host, call.path, call.query)
                except Rejected as rejected:
                    raise unauthorized("OAuth", rejected.problem) from None
            case _:
                raise unauthorized("Bearer", "invalid_token")


class Door:
    """The ASGI endpoint behind every path: the body is read first, so that what follows runs without interruption."""

    def __init__(self, netsuite: NetSuite) -> None:
        self.netsuite = netsuite

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        call = await Call.of(Request(scope, receive))
        response = self.netsuite.answer(call)
        await response(scope, receive, send)


def unauthorized(scheme: str, error: str) -> Refused:
    """401 with the scheme's own WWW-Authenticate form."""
    challenge = f'{scheme} realm="{ACCOUNT}", error="{error}", error_description="Invalid login attempt."'
    return Refused(401, "INVALID_LOGIN", LOGIN, headers={"WWW-Authenticate": challenge})


def malformed() -> Refused:
    challenge = f'Bearer realm="{ACCOUNT}", error="invalid_request", error_description="The request is malformed."'
    return Refused(400, "INVALID_REQUEST", "The Authorization header is malformed.", headers={"WWW-Authenticate": challenge})
