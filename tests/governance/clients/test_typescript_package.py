"""The TypeScript package: it compiles, refuses what its contract refuses, and does what it should when it is run."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from governance.clients.failure import NoClient
from governance.clients.typescript.package import package
from tests.governance.clients.documents import shop

HERE = Path(__file__).parent / "js"
BINARIES = HERE / "node_modules" / ".bin"
generates = pytest.mark.skipif(
    not (BINARIES / "openapi-typescript").exists() or not shutil.which("node"), reason=f"npm ci --prefix {HERE}"
)


def run(*command, folder):
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=120)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """The package, compiled."""
    folder = tmp_path_factory.mktemp("shop") / "client"
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(HERE)
        package([shop()], folder, "shop-client")
    built = run(BINARIES / "tsc", folder=folder)
    assert built.returncode == 0, built.stdout
    return folder


@generates
def test_the_same_contract_makes_the_same_bytes(made, tmp_path, monkeypatch):
    monkeypatch.chdir(HERE)

    files = package([shop()], tmp_path / "again", "shop-client")

    assert len(files) > 8
    for file in files:
        assert file.read_bytes() == (made / file.relative_to(tmp_path / "again")).read_bytes()


@generates
@pytest.mark.slow
def test_it_refuses_what_the_contract_refuses(made):
    use = made / "src" / "use.ts"
    use.write_text(
        'import { Client } from "./index.js";\n'
        'const { shopV1 } = new Client({ baseUrl: "http://door.test" });\n'
        'export const id: string = (await shopV1.getThing({ path: { "thing-id": "a" } })).id;\n'
        "await shopV1.getThing({ path: {} });\n"
        'await shopV1.makeThing({ body: { colour: "green" } });\n'
    )
    try:
        checked = run(BINARIES / "tsc", "--noEmit", folder=made)
    finally:
        use.unlink()

    wrong = {line.partition("(")[2].partition(",")[0] for line in checked.stdout.splitlines() if line.startswith("src/use.ts")}
    assert wrong == {"4", "5"}, checked.stdout


@generates
def test_it_keeps_its_key_pages_proves_itself_and_throws_problems(made):
    driven = run("node", HERE / "drive.mjs", made / "dist", folder=made)
    assert driven.returncode == 0, driven.stderr
    said = json.loads(driven.stdout)
    creates = [one for one in said["sent"] if one.get("key")]

    assert said["made"] == {"id": "a"}
    assert len(creates) == 4
    assert len({one["key"] for one in creates}) == 1
    assert [one["authorization"] for one in creates] == ["Bearer t1"] * 3 + ["Bearer t2"]
    assert said["listed"] == ["a", "b"]
    assert "http://door.test/things?ids=1%2C2&cursor=c" in [one["url"] for one in said["sent"]]
    assert said["refusal"] == {"known": True, "kind": "not-found", "fix": "look elsewhere", "id": "c-1"}
    assert "http://door.test/things/a%2Fb" in [one["url"] for one in said["sent"]]
    assert (said["escaped"], said["unkeyed"], said["left"]) == ("RangeError", 503, 0)


@pytest.mark.parametrize("name", ["Acme Client", "../up", '"x', ""])
def test_a_package_has_a_name_that_npm_takes(name, tmp_path):
    with pytest.raises(NoClient, match="npm package"):
        package([shop()], tmp_path, name)
