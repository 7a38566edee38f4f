"""The Python package: importable, typed, the same bytes for the same contract, and it carries what its contract says."""

import importlib
import shutil
import subprocess
import sys
from datetime import date

import httpx
import pytest

from governance.clients import tool
from governance.clients.failure import NoClient
from governance.clients.python.package import package
from governance.contract import Contract
from tests.governance.clients.documents import shop

generates = pytest.mark.skipif(not shutil.which("datamodel-codegen"), reason="pip install datamodel-code-generator")


def files(folder):
    return {str(file.relative_to(folder)): file.read_bytes() for file in sorted(folder.rglob("*")) if file.is_file()}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("shop")
    package([shop()], folder / "client", "shop_client")
    return folder / "client"


@pytest.fixture
def client(made, monkeypatch):
    """The generated module, and a client of it whose requests are kept."""
    monkeypatch.syspath_prepend(str(made))
    module, seen, answers = importlib.import_module("shop_client"), [], []

    def answer(request):
        seen.append(request)
        return answers.pop(0)

    http = httpx.AsyncClient(transport=httpx.MockTransport(answer), base_url="http://door.test")
    yield module.Client("", "token", http=http), seen, answers
    for name in [name for name in sys.modules if name.partition(".")[0] == "shop_client"]:
        del sys.modules[name]


@generates
def test_the_same_contract_makes_the_same_bytes(made, tmp_path):
    package([shop()], tmp_path, "shop_client")

    assert files(tmp_path) == files(made)


@generates
@pytest.mark.slow
def test_it_is_typed_throughout(made, tmp_path):
    (tmp_path / "mypy.ini").write_text("[mypy]\nstrict = true\n")
    (tmp_path / "use.py").write_text(
        "from shop_client import Client\n"
        "async def use(client: Client) -> str:\n"
        "    return (await client.shop_v1.get_thing(7)).id\n"
    )
    command = [sys.executable, "-m", "mypy", "--config-file", tmp_path / "mypy.ini", "--cache-dir", tmp_path / "cache"]
    within = {"cwd": made, "capture_output": True, "text": True, "check": False, "timeout": 120}
    whole = subprocess.run([*command, "-p", "shop_client"], **within)
    wrong = subprocess.run([*command, tmp_path / "use.py"], **within)

    assert whole.returncode == 0, whole.stdout
    assert 'incompatible type "int"; expected "str"' in wrong.stdout


@generates
async def test_a_page_is_asked_for_as_the_contract_says(client):
    shop_client, seen, answers = client
    models = importlib.import_module("shop_client.shop_v1.models")
    answers += [
        httpx.Response(200, json={"items": [{"id": "a"}], "next": "c"}),
        httpx.Response(200, json={"items": [{"id": "b"}]}),
    ]
    wanted = {"colour": models.Colour.dark_red, "ids": [1, 2], "since": date(2026, 11, 21)}

    found = [thing.id async for thing in shop_client.shop_v1.each_of_list_things(**wanted)]

    assert found == ["a", "b"]
    assert dict(seen[0].url.params) == {"colour": "dark-red", "ids": "1,2", "since": "2026-11-21"}
    assert seen[1].url.params["cursor"] == "c"


@generates
async def test_answers_may_say_more_than_is_known_and_requests_may_not(client):
    shop_client, seen, answers = client
    models = importlib.import_module("shop_client.shop_v1.models")
    answers.append(httpx.Response(201, json={"id": "a", "mood": "furious", "new": 1}))

    made = await shop_client.shop_v1.make_thing(models.MakeThingBody(colour="red"))

    assert (made.id, made.mood, made.note) == ("a", "furious", None)
    assert seen[0].headers["Idempotency-Key"]
    with pytest.raises(ValueError, match="shade"):
        models.MakeThingBody(colour="red", shade="dark")


@generates
async def test_nothing_and_bytes_are_answers_too(client):
    shop_client, _, answers = client
    answers += [httpx.Response(204), httpx.Response(200, content=b"\x89PNG")]

    assert await shop_client.shop_v1.delete("a") is None
    assert await shop_client.shop_v1.picture("a") == b"\x89PNG"


@generates
def test_an_earlier_client_is_replaced_and_anything_else_is_left_alone(tmp_path):
    package([shop(), shop(**{"x-trivium-api": "system/stock"})], tmp_path / "c", "shop_client")
    package([shop()], tmp_path / "c", "shop_client")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").write_text("dear")

    assert not list((tmp_path / "c").rglob("stock_v1/*.py"))
    with pytest.raises(NoClient, match="something else"):
        package([shop()], tmp_path / "mine", "shop_client")


def test_a_generator_that_is_missing_is_named_with_the_way_to_get_it():
    with pytest.raises(NoClient, match="no-such-generator is not installed: pip install it"):
        tool.found("no-such-generator", (), "pip install it")


def test_what_a_client_cannot_carry_is_said():
    events = Contract.parse('{"asyncapi": "3.0.0", "info": {"title": "T", "version": "1.0.0"}}')

    with pytest.raises(NoClient, match="events"):
        package([events], None, "shop_client")


@pytest.mark.parametrize("name", ["acme-client", "Acme", "1a", "class", "../up"])
def test_a_package_has_a_name_that_can_be_imported(name, tmp_path):
    with pytest.raises(NoClient, match="cannot be imported"):
        package([shop()], tmp_path, name)
