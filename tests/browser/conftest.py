"""A whole deployment with its sandbox, and a headless Chromium that walks through its catalog."""

import asyncio
import json
import os
import shutil
from pathlib import Path

import pytest

from tests.journeys.deployment import Deployment

HERE = Path(__file__).parent
CHROMIUM = os.environ.get("TRIVIUM_TEST_CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    """What the walk met. Its pictures stay in TRIVIUM_TEST_PICTURES, where that is said."""
    if CHROMIUM is None or shutil.which("node") is None:
        pytest.skip("it needs Chromium and Node.js: apt-get install chromium nodejs")
    if not (HERE / "node_modules" / "playwright-core").is_dir():
        pytest.skip("playwright-core is not installed: npm ci --prefix tests/browser")
    folder = tmp_path_factory.mktemp("browser")
    return asyncio.run(_walk(folder, os.environ.get("TRIVIUM_TEST_PICTURES") or str(folder)))


async def _walk(folder, pictures):
    deployment = Deployment(folder)
    try:
        await deployment.start_sandbox()
        await deployment.start_gateway()
        process = await asyncio.create_subprocess_exec(
            "node", "walk.mjs", deployment.url, pictures, CHROMIUM, cwd=HERE, stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        said, wrong = await asyncio.wait_for(process.communicate(), 120)
        assert process.returncode == 0, wrong.decode()
        return json.loads(said)
    finally:
        await deployment.stop()
