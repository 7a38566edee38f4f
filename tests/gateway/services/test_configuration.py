"""Services are part of the configuration: their files are kept with it, and a broken one is told with all other faults."""

import json
from pathlib import Path
from typing import Any

import pytest

from gateway.configuration.bundle import BadConfiguration, read_bundle
from gateway.configuration.check import checked, loaded
from gateway.house import CONTRACTS
from kernel.settings import Settings

PATHS = {"/items": {"get": {"operationId": "list", "parameters": [{"$ref": "more/parameters.json#/limit"}]}}}
DOCUMENT = {"openapi": "3.1.0", "info": {"title": "C", "version": "1"}, "paths": PATHS}
LIMIT = {"name": "limit", "in": "query", "schema": {"type": "integer"}}


@pytest.fixture
def settings(tmp_path: Path) -> Any:
    def make(document: Any = DOCUMENT) -> Settings:
        (tmp_path / "more").mkdir(exist_ok=True)
        (tmp_path / "more" / "parameters.json").write_text(json.dumps({"limit": LIMIT}))
        (tmp_path / "c.json").write_text(json.dumps(document))
        service = {"name": "catalog", "contract": "c.json", "prefix": "/catalog/v1", "upstreams": ["http://x.internal"]}
        limits = {"default": [{"policy": "burst", "quota": 10, "window": 60}]}
        return Settings.model_validate({"services": [service], "limits": limits, "data": tmp_path})

    return make


def test_its_files_and_operations_are_part_of_it(settings: Any, tmp_path: Path) -> None:
    said = settings()
    bundle = read_bundle(said, CONTRACTS, tmp_path)
    (tmp_path / "c.json").unlink()  # what is in force does not depend on the disk any more
    found = checked(bundle, said)

    assert set(bundle.files) == {"c.json", "more/parameters.json"}
    assert "services.catalog.v1.list" in {operation.id for operation in found.operations}
    assert set(found.services) == {"services/catalog"}


def test_a_change_of_a_file_beside_it_is_another_configuration(settings: Any, tmp_path: Path) -> None:
    said = settings()
    before = read_bundle(said, CONTRACTS, tmp_path).digest
    (tmp_path / "more" / "parameters.json").write_text(json.dumps({"limit": {**LIMIT, "required": True}}))

    assert read_bundle(said, CONTRACTS, tmp_path).digest != before


@pytest.mark.parametrize("document", [{"swagger": "2.0"}, {**DOCUMENT, "paths": {"/x": {"$ref": "none.json"}}}])
def test_a_broken_document_is_told(settings: Any, tmp_path: Path, document: Any) -> None:
    said = settings(document)

    with pytest.raises(BadConfiguration, match="service catalog: "):
        loaded(read_bundle(said, CONTRACTS, tmp_path), said)
