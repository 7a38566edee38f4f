"""A small contract that breaks no rule, to be spoilt in one place."""

import copy
import json
from datetime import date
from typing import Any

import yaml

from governance.contract import Contract
from governance.lint.configuration import Configuration
from governance.lint.engine import Finding, lint
from governance.rules import RULES

TODAY = date(2026, 11, 21)
GOOD = yaml.safe_load("""\
openapi: 3.1.0
info:
  title: Orders
  version: 1.2.0
  description: Orders of customers.
  contact: {name: orders}
  license: {name: Apache-2.0}
  x-trivium-api: process/orders
  x-trivium-layer: process
  x-trivium-audience: internal
  x-trivium-owner: {team: orders, on_call: orders}
  x-trivium-lifecycle: {stage: draft}
  x-trivium-classification: internal
x-trivium-limits: {default: [{policy: burst, quota: 10, window: 60}]}
servers:
- {url: /}
tags:
- {name: orders}
security:
- oauth2: [orders:read]
paths:
  /process/orders/v1/orders:
    get:
      operationId: list_orders
      summary: List orders
      description: All of them, by page.
      tags: [orders]
      parameters:
      - {name: cursor, in: query, schema: {type: string, maxLength: 40}}
      - {name: limit, in: query, schema: {type: integer, minimum: 1, maximum: 100}}
      responses: &answers
        '200': &ok
          description: ok
          headers: {RateLimit: {schema: {type: string}}}
          content: {application/json: {schema: {$ref: '#/components/schemas/Orders'}}}
        '401': &problem {$ref: '#/components/responses/Problem'}
        '403': *problem
        '404': *problem
        '422': *problem
        '429': *problem
        '503': *problem
        '504': *problem
    post:
      operationId: add_order
      summary: Add an order
      description: One order, once.
      tags: [orders]
      x-trivium-idempotency: required
      parameters:
      - {name: Idempotency-Key, in: header, required: true, schema: {type: string, maxLength: 99}}
      requestBody: &body
        content:
          application/json:
            schema: {$ref: '#/components/schemas/NewOrder'}
            example: {note: please, wanted_on: 2026-01-02, lines: [{count: 1}]}
      responses: *answers
  /process/orders/v1/orders/{order_id}:
    put:
      operationId: replace_order
      summary: Replace an order
      description: As a whole.
      tags: [orders]
      x-trivium-conditional: optional
      parameters:
      - {name: order_id, in: path, required: true, schema: {type: string, maxLength: 20}}
      requestBody: *body
      responses: *answers
components:
  securitySchemes:
    oauth2:
      type: oauth2
      flows: {clientCredentials: {tokenUrl: /oauth/token, scopes: {'orders:read': read}}}
  responses:
    Problem:
      description: what went wrong
      headers: {Retry-After: {schema: {type: integer}}, RateLimit: {schema: {type: string}}}
      content: {application/problem+json: {schema: {$ref: '#/components/schemas/Problem'}}}
  schemas:
    Problem: {type: object, properties: {title: {type: string}}}
    Orders: {type: object, properties: {items: {type: array, items: {$ref: '#/components/schemas/Order'}}}}
    Order:
      type: object
      required: [status]
      properties:
        status: {type: string, enum: [open, done], x-extensible-enum: true}
        made_at: {type: string, format: date-time}
        total: {$ref: '#/components/schemas/Money'}
    Money: {type: object, properties: {amount: {type: string}, currency: {type: string}}}
    NewOrder:
      type: object
      additionalProperties: false
      required: [note]
      properties:
        note: {type: string, maxLength: 100}
        wanted_on: {type: string, format: date}
        lines: {type: array, maxItems: 9, items: {type: object, additionalProperties: false, properties: {count: {$ref: '#/components/schemas/Count'}}}}
    Count: {type: integer, minimum: 1, maximum: 9}
""")  # noqa: E501
LIST, ONE = "/process/orders/v1/orders", "/process/orders/v1/orders/{order_id}"


def good() -> dict[str, Any]:
    return copy.deepcopy(json.loads(json.dumps(GOOD, default=str)))


def linted(document: dict[str, Any], *, name: str = "contract.yaml") -> list[Finding]:
    return list(lint([Contract.parse(json.dumps(document), name)], RULES, Configuration(), TODAY))
