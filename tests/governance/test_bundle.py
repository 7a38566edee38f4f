"""A bundle means the same as the files it was made of, and needs none of them."""

import json

from governance.bundle import bundle
from governance.changes.diff import diff
from governance.contract import Contract
from tests.governance.rules.documents import TODAY


def _tree(folder):
    (folder / "parts").mkdir()
    (folder / "parts" / "money.yaml").write_text(
        "Money: {type: object, properties: {amount: {type: string}, of: {$ref: '#/Money'}, in: {$ref: currency.yaml}}}\n"
        "Page: {name: limit, in: query, schema: {type: integer}}\n"
    )
    (folder / "parts" / "currency.yaml").write_text("{type: string, maxLength: 3}")
    (folder / "v1.yaml").write_text("""\
openapi: 3.1.0
info: {title: T, version: 1.0.0}
paths:
  /things:
    get:
      parameters: [{$ref: 'parts/money.yaml#/Page'}]
      responses:
        '200': {description: ok, content: {application/json: {schema: {$ref: 'parts/money.yaml#/Money'}}}}
        '201': {description: ok, content: {application/json: {schema: {$ref: '#/components/schemas/Money'}}}}
components:
  schemas:
    Money: {type: integer}
""")
    return Contract.load(folder / "v1.yaml")


def test_a_bundle_has_all_that_was_referred_to_under_names_of_their_own(tmp_path):
    made = bundle(_tree(tmp_path))

    assert made["components"]["schemas"]["Money"] == {"type": "integer"}
    assert made["components"]["schemas"]["Money2"]["properties"]["of"] == {"$ref": "#/components/schemas/Money2"}
    assert made["components"]["schemas"]["currency"] == {"type": "string", "maxLength": 3}
    assert made["components"]["parameters"]["Page"]["name"] == "limit"


def test_a_bundle_means_what_its_files_meant(tmp_path):
    contract = _tree(tmp_path)
    alone = Contract.parse(json.dumps(bundle(contract)))

    assert diff(contract, alone, today=TODAY) == diff(alone, contract, today=TODAY) == []
