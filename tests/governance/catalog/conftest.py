"""A small estate of three layers, with two releases of one of its contracts."""

import json
from datetime import date

import pytest

from governance.catalog.catalog import Collected, catalog
from governance.catalog.dependencies import Connected
from governance.consumers.declared import Application, Use
from governance.contract import Contract
from governance.publishing.digest import digest
from governance.publishing.evidence import Evidence

TODAY = date(2026, 3, 1)


def schema(**properties):
    return {"type": "object", "properties": properties}


SCHEMAS = {
    "Quote": {**schema(total={"$ref": "#/components/schemas/Money"}), "description": "What was offered."},
    "Money": schema(amount={"type": "string"}),
    "Secret": schema(margin={"type": "string"}),
}
FLOW = {"tokenUrl": "/t", "scopes": {"quotes:read": "r", "quotes:audit": "a", "crm:read": "c"}}


def document(api, layer, audience, paths, **info):
    return {
        "openapi": "3.1.0",
        "info": {
            "title": api.rpartition("/")[2].capitalize(), "version": "1.1.0", "x-trivium-api": api, "x-trivium-layer": layer,
            "x-trivium-audience": audience, "x-trivium-owner": {"team": f"{layer}-team"}, **info,
        },
        "paths": paths,
        "components": {
            "schemas": SCHEMAS, "securitySchemes": {"oauth2": {"type": "oauth2", "flows": {"clientCredentials": FLOW}}},
        },
    }  # fmt: skip


def operation(id, scope, answered="Quote", **more):
    content = {"application/json": {"schema": {"$ref": f"#/components/schemas/{answered}"}}}
    security = [{"oauth2": [scope]}] if scope else []
    answers = {"200": {"description": "ok", "content": content}}
    return {"operationId": id, "summary": id.replace("_", " "), "security": security, "responses": answers, **more}


QUOTES = document(
    "process/quotes", "process", "partner",
    {
        "/process/quotes/v1/quotes/{id}": {
            "parameters": [{"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}],
            "get": operation("get_quote", "quotes:read", **{"x-trivium-calls": ["system/crm/v1#read_quote"]}),
        },
        "/process/quotes/v1/margins": {"get": operation("audit_margins", "quotes:audit", "Secret")},
        "/process/quotes/v1/checks": {"get": operation("check_internally", "quotes:read", **{"x-trivium-audience": "internal"})},
    },
)  # fmt: skip
STATUS = document("ops/status", "ops", "public", {"/ops/status/v1/status": {"get": operation("get_status", "")}})
CRM = document("system/crm", "system", "internal", {"/system/crm/v1/quotes": {"get": operation("read_quote", "crm:read")}})


def older(said):
    paths = {path: item for path, item in said["paths"].items() if not path.endswith("margins")}
    return {**said, "info": {**said["info"], "version": "1.0.0"}, "paths": paths}


def evidence(said, day):
    info = said["info"]
    return Evidence(
        info["x-trivium-api"], info["version"], digest(said), said, {}, {}, {"cases": 12, "failures": 0}, [{"team": "sales"}], {},
        day,
    )  # fmt: skip


@pytest.fixture
def collected():
    contracts = [Contract.parse(json.dumps(said), said["info"]["x-trivium-api"]) for said in (QUOTES, STATUS, CRM)]
    return Collected(
        contracts,
        {"process/quotes": [evidence(older(QUOTES), "2026-01-01T00:00:00Z"), evidence(QUOTES, "2026-02-01T00:00:00Z")]},
        [Application("portal", "sales", "", frozenset(), {"process/quotes/v1": (Use("get_quote", frozenset({"total"})),)})],
        [Connected("salesforce-eu", "salesforce", "system/crm")],
    )


@pytest.fixture
def whole(collected):
    return catalog(collected, TODAY)
