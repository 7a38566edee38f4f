"""Deployments that are stopped when their test is over, whatever became of it."""

import pytest

from tests.journeys.deployment import Deployment


@pytest.fixture
async def deploy(tmp_path):
    """Makes deployments, e.g. `deploy({"TRIVIUM_DATABASE_URL": …})`; nothing is started yet."""
    made = []

    def make(environment=None, **more):
        folder = tmp_path / f"deployment-{len(made)}"
        folder.mkdir()
        made.append(Deployment(folder, environment, **more))
        return made[-1]

    yield make
    for deployment in made:
        await deployment.stop()
