"""`trivium contracts client`: refusals say what to do."""

import shutil

import pytest
from typer.testing import CliRunner

from trivium.commands.contracts import app


def run(*arguments):
    return CliRunner().invoke(app, ["client", *[str(argument) for argument in arguments]])


def test_an_api_that_is_not_there_is_answered_with_those_that_are(tmp_path):
    found = run("python", "process/nothing", "--out", tmp_path)

    assert found.exit_code == 1
    assert "there is no contract process/nothing" in found.output
    assert "process/orders/v1" in found.output


@pytest.mark.skipif(not shutil.which("datamodel-codegen"), reason="pip install datamodel-code-generator")
def test_chosen_apis_become_one_package(tmp_path):
    found = run("python", "process/orders", "process/quotes/v1", "--out", tmp_path / "client", "--name", "acme_client")

    assert found.exit_code == 0, found.output
    assert {place.name for place in (tmp_path / "client" / "acme_client").iterdir() if place.is_dir()} == {
        "orders_v1", "quotes_v1", "runtime",
    }  # fmt: skip
