"""The house is what ARCHITECTURE.md says: every folder is linted, named after what it holds, and imports only what it may."""

import ast
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
LINTED = set(tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["root_packages"])
LAYERS = {"system_apis", "process_apis", "experience_apis"}
FORBIDDEN_NAMES = {"utils", "helpers", "common", "manager", "service", "core"}


def packages():
    return {folder.parent.name for folder in ROOT.glob("*/__init__.py")}


def modules(folder="."):
    return [
        file
        for package in sorted(packages())
        for file in sorted((ROOT / package).rglob("*.py"))
        if folder == "." or file.is_relative_to(ROOT / folder)
    ]


def imported(file):
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (name.name.split(".")[0] for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module.split(".")[0]


def test_every_package_is_linted():
    assert packages() == LINTED


def test_only_the_composition_root_knows_the_layers():
    knowing = {str(file.relative_to(ROOT)) for file in modules("gateway") if LAYERS & set(imported(file))}

    assert knowing == {"gateway/compose.py"}


def test_mappings_do_no_io():
    io = {"httpx", "aiohttp", "asyncio", "socket", "sqlalchemy", "os", "pathlib"}
    mappings = [file for file in modules("system_apis") if file.name == "mapping.py"]

    assert mappings
    assert {str(file): io & set(imported(file)) for file in mappings if io & set(imported(file))} == {}


def test_connectors_are_independent_of_each_other():
    folder = ROOT / "system_apis" / "connectors"
    vendors = {entry.name for entry in folder.iterdir() if (entry / "__init__.py").is_file()}
    for file in modules("system_apis/connectors"):
        own = file.relative_to(folder).parts[0]
        others = vendors - {own}
        text = file.read_text(encoding="utf-8")
        assert not [other for other in others if f"system_apis.connectors.{other}" in text], file


@pytest.mark.parametrize("file", modules(), ids=lambda file: str(file.relative_to(ROOT)))
def test_every_module_makes_a_claim_and_stays_small(file):
    text = file.read_text(encoding="utf-8")

    assert ast.get_docstring(ast.parse(text)), "say in one line what the module is"
    assert text.count("\n") <= 400
    assert not set(file.relative_to(ROOT).with_suffix("").parts) & FORBIDDEN_NAMES


OPS = {"ops/master_data": "master_data", "ops/gateway": "gateway/ops", "ops/catalog": "gateway/ops/catalog"}


def test_api_modules_contracts_and_urls_share_one_path():
    from gateway.compose import declared

    for api in declared():
        folder = OPS.get(api.id, f"{api.layer}_apis/{api.name}")
        assert (ROOT / folder / f"v{api.major}.py").is_file()
        assert (ROOT / "contracts/openapi" / api.layer / api.name / f"v{api.major}.yaml").is_file()
        assert api.prefix == f"/{api.layer}/{api.name.replace('_', '-')}/v{api.major}"
