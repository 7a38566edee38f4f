"""jsforce, the JavaScript client, works against the imitation with nothing but the login URL changed."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from .conftest import Sandbox

JS = Path(__file__).parent.parent / "js"
NODE = shutil.which("node")
pytestmark = pytest.mark.skipif(
    NODE is None or not (JS / "node_modules" / "jsforce").is_dir(),
    reason="needs node and `npm ci --prefix tests/sandbox/js --ignore-scripts`",
)


def test_jsforce_works_against_the_imitation(sandbox: Sandbox) -> None:
    run = subprocess.run(
        [str(NODE), str(JS / "salesforce.mjs"), sandbox.base_url], capture_output=True, text=True, timeout=60, check=False
    )
    assert run.returncode == 0, run.stderr
    seen = json.loads(run.stdout)

    assert seen["instanceUrl"] == sandbox.base_url
    assert seen["organizationId"].startswith("00D")
    assert seen["created"]["success"] is True
    assert (seen["upserted"]["id"], seen["upserted"]["created"]) == (seen["created"]["id"], False)
    assert (seen["many"], seen["paged"]) == (450, 450)
    (quote,) = seen["quotes"]
    assert (quote["QuoteNumber"], quote["Account"]["Name"]) == ("Q-1003", "Harbor Freightways")
    assert [line["Product2"]["ProductCode"] for line in quote["QuoteLineItems"]["records"]][-1] == "SENSOR-X1"
    assert seen["prefix"] == "0Q0"
    assert seen["refusal"] == {"name": "REQUIRED_FIELD_MISSING", "message": "Required fields are missing: [Name]"}
    assert seen["malformed"] == "INVALID_FIELD"
    assert seen["deleted"] is True
    assert seen["limit"] is True
    assert seen["afterRefresh"] == 458
    assert seen["usage"]["apiUsage"]["used"] > 0
