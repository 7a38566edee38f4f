"""How a layer declares its operations: a FastAPI application whose OpenAPI document carries what the gateway enforces.

The docstring of an endpoint is what the contract tells callers; the name of its function is the operationId.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, TypeVar

from fastapi import FastAPI, Header, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import AfterValidator
from starlette.exceptions import HTTPException
from starlette.responses import Response

from kernel.calls import CALLS
from kernel.context import correlation_id
from kernel.problem import (
    MEDIA_TYPE,
    BadPlatformAnswer,
    Conflict,
    Forbidden,
    Internal,
    Invalid,
    KeyReused,
    MethodNotAllowed,
    NotFound,
    PlatformTimeout,
    PreconditionFailed,
    PreconditionRequired,
    Problem,
    TooManyRequests,
    Unauthorized,
    Unavailable,
    instance,
)  # fmt: skip
from kernel.tenancy import AUDIENCE, EXTENSION, Tenancy

F = TypeVar("F", bound=Callable[..., Any])

_KEY = "[A-Za-z0-9][A-Za-z0-9._:-]{7,254}"
IdempotencyKey = Annotated[
    str,
    Header(
        alias="Idempotency-Key", min_length=8, max_length=257, pattern=f'^({_KEY}|"{_KEY}")$',
        description=(
            "Chosen by the caller, one per thing to be done: the same key never does it twice. In quotes, as the IETF draft has "
            "it, or bare: both are the same key."
        ),
    ),
    AfterValidator(lambda key: key.strip('"')),
]  # fmt: skip
IF_MATCH = {
    "name": "If-Match", "in": "header", "required": False,
    "description": "The ETag you were given when you read it; nothing is done when it has changed since",
    "schema": {"type": "string", "minLength": 1, "maxLength": 2000},
}  # fmt: skip
SAFE = frozenset({"GET", "HEAD"})
ALWAYS: tuple[type[Problem], ...] = (
    Unauthorized, Forbidden, Invalid, TooManyRequests, Internal, BadPlatformAnswer, Unavailable, PlatformTimeout,
)  # fmt: skip


@dataclass(frozen=True)
class Quota:
    """`calls` per `seconds` for each client, under the name that the RateLimit fields show."""

    calls: int
    seconds: int = 60
    name: str = "burst"


@dataclass
class Api:
    """One API and major version: `process/orders` 1.0.0 is served below /process/orders/v1.

    `problems`: what each of its operations may answer beside what every operation may.
    """

    layer: str
    name: str
    version: str
    title: str
    description: str
    team: str
    scopes: Mapping[str, str]
    audience: str = "internal"
    quota: Quota = Quota(600)
    timeout: float = 15.0
    max_body: int = 65_536
    problems: tuple[type[Problem], ...] = ()
    app: FastAPI = field(init=False)

    def __post_init__(self) -> None:
        self.app = FastAPI(
            title=self.title, version=self.version, description=self.description, openapi_url=None, docs_url=None, redoc_url=None,
        )  # fmt: skip
        for kind, handler in HANDLERS.items():
            self.app.add_exception_handler(kind, handler)

    @property
    def id(self) -> str:
        return f"{self.layer}/{self.name}"

    @property
    def major(self) -> int:
        return int(self.version.partition(".")[0])

    @property
    def prefix(self) -> str:
        return f"/{self.layer}/{self.name.replace('_', '-')}/v{self.major}"

    @property
    def _replay(self) -> Mapping[str, bool]:
        """Runs and connectors know their keys: what may have been done is asked of them again."""
        return {} if self.layer == "ops" else {"upstream_dedupes": True}

    def get(self, path: str, **said: Any) -> Callable[[F], F]:
        return self._operation("GET", path, **said)

    def post(self, path: str, **said: Any) -> Callable[[F], F]:
        return self._operation("POST", path, **said)

    def put(self, path: str, **said: Any) -> Callable[[F], F]:
        return self._operation("PUT", path, **said)

    def _operation(
        self,
        method: str,
        path: str,
        *,
        scope: str,
        status: int = 200,
        also: Mapping[int, str] | None = None,
        problems: Sequence[type[Problem]] = (),
        quota: Quota | None = None,
        timeout: float | None = None,
        max_body: int | None = None,
        headers: Sequence[str] = (),
        links: Mapping[str, str] | None = None,
        tenancy: Tenancy | None = None,
        audience: str | None = None,
        cache: Mapping[str, Any] | None = None,
        conditional: Mapping[str, str] | None = None,
        replay: Mapping[str, bool] | None = None,
        calls: Sequence[str] = (),
    ) -> Callable[[F], F]:
        """`also`: further success statuses and what they mean; `problems`: those beside the ones every operation may answer;
        `headers`: what a success carries beside the usual; `links`: operations that take the `id` of the answer, and as what;
        `tenancy`: how it is bound to the accounts of its caller (`kernel.tenancy`); `audience`: where it is not the API's;
        `cache`, `conditional`, `replay`: what the policy of that name in gateway/policies is to do; `calls`: what it may ask of
        the layers below (`kernel.calls`).
        """
        if scope not in self.scopes:
            raise ValueError(f"{self.id} does not define the scope {scope}")

        def declare(endpoint: F) -> F:
            keyed = "idempotency_key" in endpoint.__annotations__
            quota_said = quota or self.quota
            extra = {
                "security": [{"oauth2": [scope]}],
                "x-trivium-limits": {
                    "default": [{"policy": quota_said.name, "quota": quota_said.calls, "window": quota_said.seconds}]
                },
                "x-trivium-idempotency": "required" if keyed else "none",
                "x-trivium-timeout": timeout or self.timeout,
                "x-trivium-max-body": 0 if method in SAFE else max_body or self.max_body,
                "x-trivium-also": {str(code): meaning for code, meaning in (also or {}).items()},
                "x-trivium-problems": _statuses((*self.problems, *problems, *_conditional(conditional)), keyed=keyed, path=path),
                "x-trivium-headers": list(headers),
                "x-trivium-links": dict(links or {}),
                **({EXTENSION: dict(tenancy)} if tenancy else {}),
                **({AUDIENCE: audience} if audience else {}),
                **({CALLS: list(calls)} if calls else {}),
                **({"x-trivium-cache": dict(cache)} if cache else {}),
                **({"x-trivium-conditional": dict(conditional), "parameters": [IF_MATCH]} if conditional else {}),
                **({"x-trivium-replay": dict(replay or self._replay)} if keyed and (replay or self._replay) else {}),
            }
            self.app.add_api_route(
                f"{self.prefix}{path}", endpoint, methods=[method], operation_id=endpoint.__name__, status_code=status,
                tags=[self.name], summary=endpoint.__name__.replace("_", " ").capitalize(), openapi_extra=extra,
                response_model_exclude_none=True,
            )  # fmt: skip
            return endpoint

        return declare


def _conditional(said: Mapping[str, str] | None) -> tuple[type[Problem], ...]:
    if said is None:
        return ()
    return (PreconditionFailed, PreconditionRequired) if said["if_match"] == "required" else (PreconditionFailed,)


def _statuses(problems: Sequence[type[Problem]], *, keyed: bool, path: str) -> list[int]:
    """Of the refusals that an operation of this kind may answer."""
    more = (*((Conflict, KeyReused) if keyed else ()), *((NotFound,) if "{" in path else ()))
    return sorted({kind.status for kind in (*ALWAYS, *problems, *more)})


def problem_response(problem: Problem, request_id: str = "") -> Response:
    """The problem as RFC 9457 JSON, with the ids under which we keep what happened."""
    known = correlation_id.get("")
    body = {**problem.body(), "correlation_id": known} if known else problem.body()
    if request_id:
        body["instance"] = instance(request_id)
    return JSONResponse(body, problem.status, headers=problem.response_headers(), media_type=MEDIA_TYPE)


def _request_id(request: Request) -> str:
    return str(request.scope.get("trivium.request", ""))


async def _on_problem(request: Request, error: Exception) -> Response:
    return problem_response(error if isinstance(error, Problem) else Internal("unexpected"), _request_id(request))


async def _on_invalid(request: Request, error: Exception) -> Response:
    found = error.errors() if isinstance(error, RequestValidationError) else []
    errors = [{"pointer": "/" + "/".join(str(part) for part in e["loc"][1:]), "detail": str(e["msg"])} for e in found[:20]]
    return problem_response(Invalid("the request does not fit the contract", errors=errors), _request_id(request))


async def _on_http(request: Request, error: Exception) -> Response:
    kinds = {404: NotFound, 405: MethodNotAllowed}
    status = error.status_code if isinstance(error, HTTPException) else 500
    detail = str(error.detail) if isinstance(error, HTTPException) else "unexpected"
    return problem_response(kinds.get(status, Internal if status >= 500 else Invalid)(detail), _request_id(request))


HANDLERS = {Problem: _on_problem, RequestValidationError: _on_invalid, HTTPException: _on_http}
