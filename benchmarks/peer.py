"""The same operations as their authors would usually guard them by hand: bearer scheme, token decoded per request, slowapi."""

# mypy: allow-untyped-calls
# (Authlib has no annotations.)
import warnings
from typing import Annotated, Any

from fastapi import Depends, FastAPI, Header, HTTPException, Request, Response
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from slowapi import Limiter
from slowapi.util import get_remote_address

from contracts.models.party import Customer, NewCustomer
from contracts.ports.system import Erp

with warnings.catch_warnings(record=True):  # deprecated in favour of joserfc, and still what people use
    from authlib.jose import JsonWebToken

PATH = "/system/erp/v1/{connection}/customers"
UNLIMITED_ENOUGH = "1000000000/minute"


def peer_app(erp: Erp, public_key: dict[str, str], issuer: str, audience: str) -> FastAPI:
    """Two operations of `system/erp`: read one customer, create one."""
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    limiter = Limiter(key_func=_payer, headers_enabled=True)
    app.state.limiter = limiter
    decoder = JsonWebToken(["ES256"])
    options = {"iss": {"essential": True, "value": issuer}, "aud": {"essential": True, "value": audience}}

    def claims(request: Request, bearer: Annotated[HTTPAuthorizationCredentials, Depends(HTTPBearer())]) -> dict[str, Any]:
        found = decoder.decode(bearer.credentials, public_key, claims_options=options)
        found.validate()
        request.state.client = found["client_id"]
        return dict(found)

    def needs(scope: str) -> Any:
        def check(claimed: Annotated[dict[str, Any], Depends(claims)]) -> None:
            if scope not in claimed["scope"].split():
                raise HTTPException(403)

        return Depends(check)

    @app.get(PATH + "/{customer_id}", dependencies=[needs("erp:read")], response_model_exclude_none=True)
    @limiter.limit(UNLIMITED_ENOUGH)
    async def get_customer(request: Request, response: Response, connection: str, customer_id: str) -> Customer:
        return await erp.get_customer(customer_id)

    @app.post(PATH, status_code=201, dependencies=[needs("erp:write")], response_model_exclude_none=True)
    @limiter.limit(UNLIMITED_ENOUGH)
    async def create_customer(
        request: Request, response: Response, connection: str, new: NewCustomer, idempotency_key: Annotated[str, Header()]
    ) -> Customer:
        return await erp.create_customer(new, idempotency_key)

    return app


def _payer(request: Request) -> str:
    return getattr(request.state, "client", None) or get_remote_address(request)
