"""An estate that nobody wrote: as many contracts as are asked for, each of fifty operations on ten resources, and no two alike.

Each is written the way people write contracts: answers, parameters and schemas are said once, in the components.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path

NAMES = ("order", "invoice", "shipment", "refund", "ticket", "asset", "worker", "visit", "budget", "permit")
OPERATIONS = 50  # of one contract

_HEAD = """\
openapi: 3.1.0
info:
  title: Part {number} of the estate
  version: 1.0.0
  description: Records of ten kinds, kept for part {number}.
  contact:
    name: estate-{number}
  license:
    name: Apache-2.0
    identifier: Apache-2.0
  x-trivium-api: process/estate-{number}
  x-trivium-layer: process
  x-trivium-audience: internal
  x-trivium-classification: internal
  x-trivium-owner:
    team: estate-{number}
    on_call: estate-{number}
  x-trivium-lifecycle:
    stage: draft
x-trivium-limits:
  default:
  - policy: burst
    quota: 600
    window: 60
servers:
- url: /
tags:
- name: records
  description: Records of ten kinds.
security:
- oauth2:
  - estate-{number}:read
paths:
"""
_MANY = """\
  /process/estate-{number}/v1/{name}s:
    get:
      operationId: list_{name}s
      summary: List {name}s
      description: All of them, the newest first, by page.
      tags: [records]
      parameters:
      - $ref: '#/components/parameters/Cursor'
      - $ref: '#/components/parameters/Limit'
      - name: status
        in: query
        description: Only those of this status
        schema:
          type: string
          enum: [open, settled, void]
      responses:
        '200':
          description: A page of them
          headers:
            RateLimit:
              $ref: '#/components/headers/RateLimit'
          content:
            application/json:
              schema:
                $ref: '#/components/schemas/{title}Page'
{refusals}
    post:
      operationId: add_{name}
      summary: Add a {name}
      description: One {name}, once for each key.
      tags: [records]
      x-trivium-idempotency: required
      security:
      - oauth2:
        - estate-{number}:write
      parameters:
      - $ref: '#/components/parameters/Key'
      requestBody:
        required: true
        content:
          application/json:
            schema:
              $ref: '#/components/schemas/New{title}'
      responses:
        '201':
          description: It is there
          headers:
            RateLimit:
              $ref: '#/components/headers/RateLimit'
          content:
            application/json:
              schema:
                $ref: '#/components/schemas/{title}'
{refusals}
"""
_ONE = """\
  /process/estate-{number}/v1/{name}s/{{{name}_id}}:
    parameters:
    - name: {name}_id
      in: path
      required: true
      description: Our own id of the {name}
      schema:
        $ref: '#/components/schemas/Id'
    get:
      operationId: get_{name}
      summary: Get a {name}
      description: As it is now.
      tags: [records]
      responses:
        '200': &{name}
          description: The {name}
          headers:
            RateLimit:
              $ref: '#/components/headers/RateLimit'
          content:
            application/json:
              schema:
                $ref: '#/components/schemas/{title}'
{refusals}
    put:
      operationId: replace_{name}
      summary: Replace a {name}
      description: As a whole.
      tags: [records]
      x-trivium-conditional: optional
      security:
      - oauth2:
        - estate-{number}:write
      requestBody:
        required: true
        content:
          application/json:
            schema:
              $ref: '#/components/schemas/New{title}'
      responses:
        '200': *{name}
{refusals}
    delete:
      operationId: remove_{name}
      summary: Remove a {name}
      description: For good.
      tags: [records]
      x-trivium-conditional: optional
      security:
      - oauth2:
        - estate-{number}:write
      responses:
        '204':
          description: It is gone
{refusals}
"""
_REFUSALS = "\n".join(
    f"        '{status}':\n          $ref: '#/components/responses/Problem'"
    for status in (400, 401, 403, 404, 409, 412, 413, 422, 429, 500, 503, 504)
)
_SCHEMAS = """\
    New{title}:
      type: object
      additionalProperties: false
      required: [title, lines]
      properties:
        title:
          type: string
          description: What people call the {name}
          maxLength: 200
        wanted_on:
          type: string
          description: The day it is wanted on
          format: date
        owner_id:
          $ref: '#/components/schemas/Id'
        lines:
          type: array
          description: What it is made of
          minItems: 1
          maxItems: 100
          items:
            $ref: '#/components/schemas/Line'
    {title}:
      type: object
      required: [id, title, status]
      properties:
        id:
          $ref: '#/components/schemas/Id'
        title:
          type: string
          description: What people call the {name}
          maxLength: 200
        status:
          type: string
          description: How far it is
          enum: [open, settled, void]
          x-extensible-enum: true
        made_at:
          type: string
          description: When it was made
          format: date-time
        total:
          $ref: '#/components/schemas/Money'
        lines:
          type: array
          description: What it is made of
          maxItems: 100
          items:
            $ref: '#/components/schemas/Line'
    {title}Page:
      type: object
      required: [items]
      properties:
        items:
          type: array
          description: Those of this page
          maxItems: 100
          items:
            $ref: '#/components/schemas/{title}'
        next_cursor:
          type: string
          description: Where the next page begins; absent on the last one
          maxLength: 400
"""
_COMPONENTS = """\
components:
  securitySchemes:
    oauth2:
      type: oauth2
      flows:
        clientCredentials:
          tokenUrl: /oauth/token
          scopes:
            estate-{number}:read: Read the records of part {number}
            estate-{number}:write: Change the records of part {number}
  headers:
    RateLimit:
      description: What is left
      schema:
        type: string
    Retry-After:
      description: Seconds until it is worth asking again
      schema:
        type: integer
  parameters:
    Cursor:
      name: cursor
      in: query
      description: next_cursor of the page before
      schema:
        type: string
        maxLength: 400
    Limit:
      name: limit
      in: query
      description: How many at most
      schema:
        type: integer
        minimum: 1
        maximum: 100
        default: 20
    Key:
      name: Idempotency-Key
      in: header
      required: true
      description: The same key gets the same answer
      schema:
        type: string
        minLength: 8
        maxLength: 160
  responses:
    Problem:
      description: What went wrong
      headers:
        RateLimit:
          $ref: '#/components/headers/RateLimit'
        Retry-After:
          $ref: '#/components/headers/Retry-After'
      content:
        application/problem+json:
          schema:
            $ref: '#/components/schemas/Problem'
  schemas:
    Id:
      type: string
      description: An id of ours
      minLength: 1
      maxLength: 64
      pattern: ^[A-Za-z0-9][A-Za-z0-9._:-]*$
    Money:
      type: object
      additionalProperties: false
      required: [amount, currency]
      properties:
        amount:
          type: string
          description: Major units
          maxLength: 32
          pattern: ^-?[0-9]{{1,24}}([.][0-9]{{1,6}})?$
        currency:
          type: string
          description: ISO 4217
          pattern: ^[A-Z]{{3}}$
    Line:
      type: object
      additionalProperties: false
      required: [count, price]
      properties:
        count:
          type: integer
          description: How many
          minimum: 1
          maximum: 100000
        price:
          $ref: '#/components/schemas/Money'
        note:
          type: string
          description: Whatever there is to say
          maxLength: 400
    Problem:
      type: object
      properties:
        type:
          type: string
          description: Which kind
        title:
          type: string
          description: In a few words
        status:
          type: integer
          description: The status of the answer
        detail:
          type: string
          description: What happened this time
"""


def texts(count: int) -> Iterator[tuple[str, str]]:
    """File name and text of each contract, the names in their order."""
    for number in range(count):
        yield f"process/estate-{number:03}/v1.yaml", text(f"{number:03}")


def text(number: str) -> str:
    """One contract; `number` is part of every name that must be its own."""
    each = [{"number": number, "name": name, "title": name.title(), "refusals": _REFUSALS} for name in NAMES]
    paths = "".join(_MANY.format_map(words) + _ONE.format_map(words) for words in each)
    schemas = "".join(_SCHEMAS.format_map(words) for words in each)
    return _HEAD.format(number=number) + paths + _COMPONENTS.format(number=number) + schemas


def write(folder: Path, count: int) -> Mapping[str, str]:
    """The same as files below `folder`."""
    written = dict(texts(count))
    for name, content in written.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content, encoding="utf-8")
    return written
