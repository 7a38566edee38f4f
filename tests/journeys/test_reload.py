"""A running deployment takes a new configuration, refuses a broken one, goes back, and can say what decided a call."""

import json
import shutil
from time import monotonic

import pytest

from gateway.configuration.source import PROMISED
from kernel.settings import Sandbox, Settings
from tests.journeys.databases import fresh_postgres
from tests.journeys.deployment import plain
from trivium.demo import prepare

MAPPINGS = "/ops/master-data/v1/mappings"
CONTRACT = "ops/master_data/v1.yaml"
SCOPES = "- master-data:read\n"


class Operator:
    """Someone with the files, the command line and a token."""

    def __init__(self, deployment):
        self.deployment, self.token = deployment, ""
        self.contracts = deployment.folder / "contracts"
        shutil.copytree(PROMISED, self.contracts)
        text = deployment.file.read_text()
        assert '# contracts = "contracts/openapi"' in text
        deployment.file.write_text(text.replace('# contracts = "contracts/openapi"', 'contracts = "contracts"'))
        prepare(Settings.model_construct(data=deployment.data, sandbox=Sandbox()))

    async def run(self, *arguments, expect=0):
        code, said = await self.deployment.run(*arguments)
        assert code == expect, said
        return said

    async def sign_in(self, *scopes):
        asked = [part for scope in scopes for part in ("--scope", scope)]
        said = await self.run("clients", "add", "reload-test", *asked)
        found = dict(line.split() for line in said.splitlines() if line.startswith("client_"))
        async with plain(self.deployment.url) as client:
            form = {"grant_type": "client_credentials"}
            answer = await client.post("/oauth/token", data=form, auth=(found["client_id"], found["client_secret"]))
        assert answer.status_code == 200, answer.text
        self.token = answer.json()["access_token"]
        return found["client_id"]

    async def get(self, path, url=None, token=None):
        async with plain(url or self.deployment.url) as client:
            return await client.get(path, headers={"Authorization": f"Bearer {token or self.token}"})

    def edit(self, before, after, count=-1):
        file = self.contracts / CONTRACT
        text = file.read_text()
        assert before in text
        file.write_text(text.replace(before, after, count))


@pytest.fixture
def operator(deploy):
    return Operator(deploy())


@pytest.mark.slow
async def test_plan_apply_explain_and_go_back(operator):
    deployment = operator.deployment
    assert "can be used" in await operator.run("gateway", "check")
    await deployment.start_gateway()
    client = await operator.sign_in("master-data:read", "gateway:read")
    before = await operator.get(MAPPINGS)
    request_id = before.headers["x-request-id"]
    told = json.loads(await operator.run("explain", request_id, "--json"))
    over_http = await operator.get(f"/ops/gateway/v1/decisions/{request_id}")
    for_people = await operator.run("explain", request_id)

    assert before.status_code == 200
    assert (told["operation"], told["decided_by"]) == ("ops.master_data.v1.list_mappings", "application")
    assert (told["token"]["client"], told["token"]["scopes"]) == (client, ["gateway:read", "master-data:read"])
    assert told["token"]["age"] >= 0
    assert told["token"]["key_id"]
    assert over_http.json() == told
    assert operator.token not in json.dumps(told)
    assert client in for_people

    operator.edit(SCOPES, "- master-data:write\n", 1)  # the first operation is list_mappings
    plan = json.loads(await operator.run("gateway", "plan", "--json", "--exit-code", expect=2))
    (group,) = plan["calls"]["groups"]
    changed = plan["operations"]["changed"]["ops.master_data.v1.list_mappings"]
    assert "scope master-data:write: asked for from now on" in changed
    assert (group["client"], group["before"], group["after"], group["count"]) == (client, "admitted", "403 (scopes)", 1)
    assert group["examples"] == [request_id]
    assert (await operator.get(MAPPINGS)).status_code == 200

    assert "configuration 2 is in force" in await operator.run("gateway", "apply", "--digest", plan["after"])
    refused = await operator.get(MAPPINGS)
    assert refused.status_code == 403
    assert "scopes" in await operator.run("explain", refused.json()["instance"])

    assert "configuration 3 is in force" in await operator.run("gateway", "rollback")
    assert (await operator.get(MAPPINGS)).status_code == 200
    assert "back to 1" in await operator.run("gateway", "history")
    missing = await operator.get("/ops/gateway/v1/decisions/000000000000000000000000")
    assert missing.status_code == 404
    assert "kept for 1 day" in missing.json()["detail"]
    assert "kept for 1 day" in " ".join((await operator.run("explain", "0" * 24, expect=1)).split())


@pytest.mark.slow
async def test_what_is_broken_is_refused_and_survived(operator):
    deployment = operator.deployment
    await deployment.start_gateway()
    await operator.sign_in("master-data:read", "gateway:read")
    operator.edit("x-trivium-timeout: 15", "x-trivium-timeout: soon", 1)
    operator.edit(SCOPES, "- master-data:fly\n", 2)

    said = await operator.run("gateway", "check", expect=1)
    said = " ".join(said.split())
    assert f"{CONTRACT}: GET {MAPPINGS}: the scope master-data:fly is unknown" in said
    assert "x-trivium-timeout is a number" in said
    said = await operator.run("gateway", "apply", expect=1)
    assert "master-data:fly" in said
    assert (await operator.get(MAPPINGS)).status_code == 200

    await deployment.kill("gateway")
    await deployment.start_gateway()
    async with plain(deployment.url) as client:
        ready = (await client.get("/health/ready")).json()
    assert ready["configuration"]["state"] == "last good"
    assert (await operator.get(MAPPINGS)).status_code == 200

    await deployment.kill("gateway")
    deployment.file.write_text(deployment.file.read_text() + "\n[limitz]\n")
    await deployment.start_gateway()
    assert (await operator.get(MAPPINGS)).status_code == 200
    assert "limitz" in deployment.log("gateway")


@pytest.mark.slow
@pytest.mark.postgres
async def test_every_process_follows_within_a_second(deploy):
    with fresh_postgres() as url:
        operator = Operator(deploy({"TRIVIUM_DATABASE_URL": url}))
        deployment = operator.deployment
        await deployment.start_gateway()
        other = await deployment.start_another_gateway()
        await operator.sign_in("master-data:read")
        assert [(await operator.get(MAPPINGS, at)).status_code for at in (deployment.url, other)] == [200, 200]

        operator.edit(SCOPES, "- master-data:write\n", 1)
        said = await operator.run("gateway", "apply")
        applied = monotonic()
        statuses = [(await operator.get(MAPPINGS, at)).status_code for at in (deployment.url, other)]

        assert "configuration 2 is in force" in said
        assert statuses == [403, 403]  # the command came back when both had followed
        assert monotonic() - applied < 1
        refused = await operator.get(MAPPINGS, other)
        told = json.loads(await operator.run("explain", refused.headers["x-request-id"], "--json"))
        assert told["decided_by"] == "scopes"
        await deployment.stop()
