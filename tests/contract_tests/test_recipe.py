"""The recipe that we give to others, run on a service that is not ours: one that keeps its document passes, no other does."""

import asyncio
import json
import os
import sys
from pathlib import Path

import pytest
import yaml
from fastapi import FastAPI
from pydantic import BaseModel, ConfigDict, Field

from tests.contract_tests.contract_files import ROOT as CONTRACTS
from tests.gateway.conftest import served

__all__ = ["served"]

pytestmark = pytest.mark.slow
ROOT = CONTRACTS.parent.parent
RECIPE, WORKFLOW = ROOT / "scripts" / "contract-tests", ROOT / ".github" / "workflows" / "contract-tests.yml"


class Parcel(BaseModel):
    """What the foreign service is about."""

    model_config = ConfigDict(extra="forbid")
    weight: int = Field(ge=1, le=1000)


def service(broken: bool) -> FastAPI:
    app = FastAPI(title="Parcels", version="1.0.0")

    @app.get("/parcels/{number}")
    def get_parcel(number: int) -> Parcel:
        if broken and number > 1:
            raise RuntimeError("unexpected")
        return Parcel(weight=1)

    return app


async def recipe(served, folder: Path, *, broken: bool) -> int:
    app = service(broken)
    document = folder / "openapi.json"
    document.write_text(json.dumps(app.openapi()))
    environment = {
        **os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "REPORT": str(folder / "report"),
        "ARGUMENTS": "--max-examples 5 --exclude-checks allow_header_conformance,unsupported_method",
    }  # fmt: skip
    process = await asyncio.create_subprocess_exec(
        "sh", str(RECIPE), str(document), f"http://127.0.0.1:{served(app)}", cwd=folder, env=environment,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    said, _ = await asyncio.wait_for(process.communicate(), 120)
    print(said.decode())  # noqa: T201 - shown when the test fails
    assert list((folder / "report").rglob("*.xml"))
    return process.returncode or 0


async def test_a_service_that_keeps_its_document_passes(served, tmp_path: Path) -> None:
    assert await recipe(served, tmp_path, broken=False) == 0


async def test_a_service_that_breaks_its_document_does_not(served, tmp_path: Path) -> None:
    assert await recipe(served, tmp_path, broken=True) == 1


def test_the_workflow_asks_as_the_recipe_does() -> None:
    def options(text: str) -> set[str]:
        return {word for word in text.split() if word.startswith("--")} - {"--", "--header"}

    steps = yaml.safe_load(WORKFLOW.read_text())["jobs"]["contract-tests"]["steps"]
    (asking,) = [step["run"] for step in steps if "schemathesis run" in step.get("run", "")]

    assert options(asking) == options(RECIPE.read_text())
