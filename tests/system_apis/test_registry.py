import importlib.util
import subprocess
import sys

import pytest

from kernel.settings import BadSettings, Connection
from system_apis import registry
from system_apis.connector import Secrets


def test_a_vendor_that_is_not_listed_is_refused_with_those_that_are() -> None:
    unknown = Connection(id="acme-eu", vendor="acme", base_url="http://127.0.0.1:1")

    with pytest.raises(BadSettings, match=r"'acme-eu'.*no vendor 'acme'.*salesforce, stripe"):
        registry.connect(unknown, Secrets(unknown))


@pytest.mark.parametrize(("vendor", "module"), registry.VENDORS.items())
def test_a_vendor_is_listed_under_the_name_of_its_folder(vendor: str, module: str) -> None:
    assert module == f"system_apis.connectors.{vendor}"
    assert importlib.util.find_spec(module)


def test_no_vendor_is_imported_before_its_first_connection() -> None:
    code = "import sys, system_apis.registry; print([m for m in sys.modules if m.startswith('system_apis.connectors.')])"

    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert told.stdout.strip() == "[]"
