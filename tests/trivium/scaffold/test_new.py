"""What `trivium new` writes passes the checks of the house and its own tests, as it is written."""

from datetime import date
from pathlib import Path

import pytest

from governance.lint.configuration import Configuration
from governance.lint.estate import lint_places
from governance.lint.rule import Severity
from tests.trivium.scaffold.house import House

pytestmark = pytest.mark.slow
ADDED = (
    ("api", "process/credit_notes"), ("api", "experience/dunning_desk", "--team", "receivables"), ("api", "system/warehouses"),
    ("version", "process/credit_notes"), ("version", "process/quotes"), ("policy", "calm_down"), ("process", "price_reviews"),
)  # fmt: skip


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    """A house to which one of each was added."""
    built = House(tmp_path_factory.mktemp("house"))
    for arguments in ADDED:
        code, said = built.new(*arguments)
        assert code == 0, said
    return built


def python(house):
    return [name for name in house.touched if name.endswith(".py")]


def test_code_contract_and_tests_are_written(house):
    assert {
        "process_apis/credit_notes/v1.py", "process_apis/credit_notes/v2.py", "process_apis/quotes/v2.py",
        "contracts/ports/dunning_desk.py", "contracts/models/warehouses.py", "contracts/openapi/process/credit_notes/v1.yaml",
        "contracts/openapi/process/quotes/v2.yaml", "contracts/openapi/experience/dunning_desk/v1.yaml",
        "contracts/openapi/system/warehouses/v1.yaml", "tests/process_apis/credit_notes/test_credit_notes_v1.py",
        "process_apis/price_reviews/workflow.py", "contracts/openapi/process/price_reviews/v1.yaml",
        "tests/process_apis/price_reviews/test_price_reviews.py",
        "gateway/policies/calm_down.py", "tests/gateway/policies/test_calm_down.py",
    } <= set(house.touched)  # fmt: skip
    assert "receivables" in (house.root / "contracts/openapi/experience/dunning_desk/v1.yaml").read_text()


def test_it_is_written_as_everything_is(house):
    house.run("ruff", "format", "--check", *python(house))
    house.run("ruff", "check", *python(house))


def test_contracts_and_code_agree(house):
    assert "contracts agree with the code" in house.run("trivium", "contracts", "check")


def test_no_rule_is_broken_that_the_rest_of_the_estate_keeps(house):
    found = list(lint_places([str(house.root / "contracts" / "openapi")], Configuration(), date.today()))
    ours = {one.rule for one in found if f"contracts/openapi/{one.file}" in house.before and one.severity is Severity.ERROR}
    new = {one.rule for one in found if f"contracts/openapi/{one.file}" not in house.before and one.severity is Severity.ERROR}

    assert new <= ours


def test_no_layer_imports_another(house):
    lint = "import sys; from importlinter.cli import lint_imports_command; sys.exit(lint_imports_command(['--no-cache']))"

    assert "0 broken" in house.python("-c", lint)


def test_types_hold(house):
    cache = Path(".mypy_cache").resolve()
    written = [name for name in python(house) if not name.startswith("tests/") and name not in house.before]

    house.run("mypy", "--cache-dir", cache, "--follow-imports", "silent", *written)


def test_its_own_tests_and_those_of_the_house_pass(house):
    tests = [name for name in python(house) if name.startswith("tests/")]

    house.run("pytest", "-q", *tests, "tests/test_architecture.py", "tests/gateway/policies/test_scopes.py")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["api", "process/orders"], "there already"),
        (["api", "orders"], "its layer and its name"),
        (["api", "process/Credit-Notes"], "lower-case"),
        (["policy", "scopes"], "there already"),
        (["version", "process/nothing"], "make the API first"),
    ],
)
def test_a_refusal_says_why_and_writes_nothing(house, arguments, said):
    before = house.files()

    code, found = house.new(*arguments)

    assert code == 1
    assert said in found
    assert house.files() == before
