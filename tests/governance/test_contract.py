"""A contract is read once: operations, parameters, schemas and where each stands, over files and round in circles."""

import pytest

from governance.contract import Contract
from governance.node import Unresolved
from governance.source import Unreadable

ORDERS = """\
openapi: 3.1.0
info: {title: Orders, version: 1.2.0, x-trivium-api: process/orders, x-trivium-layer: process}
security:
- oauth2: [orders:read]
paths:
  /orders/{order_id}:
    parameters:
    - {name: order_id, in: path, required: true, schema: {type: string}}
    - {name: lang, in: query, schema: {type: string}}
    get:
      operationId: get_order
      parameters:
      - {name: lang, in: query, schema: {type: string, maxLength: 2}}
      responses:
        '200':
          description: the order
          content: {application/json: {schema: {$ref: '#/components/schemas/Order'}}}
    put:
      operationId: put_order
      x-trivium-timeout: 3
      requestBody:
        content: {application/json: {schema: {$ref: '#/components/schemas/Order'}}}
      responses: {'204': {description: done}}
components:
  schemas:
    Order:
      type: object
      properties:
        parts: {type: array, items: {$ref: '#/components/schemas/Order'}}
    Unused: {type: string}
"""


def test_operations_know_what_their_path_and_their_document_say():
    contract = Contract.parse(ORDERS)

    get, put = contract.operations

    assert (get.id, get.name, put.id) == ("get_order", "GET /orders/{order_id}", "put_order")
    assert get.scopes == {"orders:read"}
    assert [(one.get("name"), one.at("schema").get("maxLength")) for one in get.parameters] == [("order_id", None), ("lang", 2)]
    assert (put.extension("timeout"), get.extension("timeout"), get.extension("layer")) == (3, None, "process")


def test_each_schema_is_found_once_with_what_it_is_used_for():
    contract = Contract.parse(ORDERS)

    order = next(found for found in contract.schemas if found.node.pointer == "/components/schemas/Order")
    unused = next(found for found in contract.schemas if found.node.key == "Unused")
    items = [found for found in contract.schemas if found.node.pointer.endswith("/parts/items")]

    assert (order.requested, order.answered) == (True, True)
    assert unused.uses == frozenset()
    assert len(items) == 1


def test_a_place_knows_its_line():
    contract = Contract.parse(ORDERS)

    assert contract.operations[1].node.line == 18
    assert contract.root.at("components", "schemas", "Order", "properties", "parts").line == 29


def test_a_reference_may_lead_into_another_file_of_the_tree_and_back(tmp_path):
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared" / "money.yaml").write_text("Money: {type: object, properties: {of: {$ref: '../v1.yaml#/components/x'}}}")
    (tmp_path / "v1.yaml").write_text(
        "openapi: 3.0.3\ninfo: {}\npaths: {}\ncomponents: {x: {type: string}, schemas: {M: {$ref: 'shared/money.yaml#/Money'}}}"
    )
    contract = Contract.load(tmp_path / "v1.yaml")

    money = contract.component("schemas").at("M")

    assert (money.source.name, money.pointer) == ("shared/money.yaml", "/Money")
    assert money.at("properties", "of").value == {"type": "string"}


@pytest.mark.parametrize(
    ("reference", "why"),
    [
        ("#/components/nowhere", "refers to nothing"),
        ("#/components/circle", "refers to itself"),
        ("../outside.yaml", "leads out of"),
        ("missing.yaml", "cannot be read"),
        ("https://elsewhere.test/x.yaml", "is not a file beside"),
    ],
)
def test_a_reference_that_leads_nowhere_says_why(tmp_path, reference, why):
    (tmp_path / "outside.yaml").write_text("{}")
    inside = tmp_path / "in"
    inside.mkdir()
    (inside / "v1.yaml").write_text(
        "openapi: 3.1.0\npaths: {}\ncomponents:\n  circle: {$ref: '#/components/circle'}\n  it: {$ref: '" + reference + "'}"
    )
    contract = Contract.load(inside / "v1.yaml")

    with pytest.raises(Unresolved, match=why):
        contract.root.at("components", "it")


def test_asyncapi_operations_are_named_by_their_key_and_send_what_subscribers_get():
    contract = Contract.parse("""\
asyncapi: 3.0.0
info: {title: Events, version: 1.0.0}
channels:
  orders:
    address: orders.v1
    messages:
      submitted: {payload: {type: object}}
operations:
  order_submitted:
    action: send
    channel: {$ref: '#/channels/orders'}
    messages:
    - {$ref: '#/channels/orders/messages/submitted'}
""")

    (operation,) = contract.operations
    (schema,) = contract.schemas

    assert (operation.id, operation.method, operation.path) == ("order_submitted", "send", "orders.v1")
    assert (schema.answered, schema.requested) == (True, False)


@pytest.mark.parametrize("text", ["[]", "swagger: '2.0'", "openapi: 4.0.0", "{", "asyncapi: 2.6.0"])
def test_what_is_no_contract_is_refused(text):
    with pytest.raises(Unreadable):
        Contract.parse(text)
