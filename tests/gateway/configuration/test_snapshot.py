"""The last good configuration survives whatever happens to the files, and holds no secret."""

import json
from pathlib import Path

import pytest

from gateway.configuration.bundle import BadConfiguration, Bundle
from gateway.configuration.recovery import LastGoodSettings, settings_or_last_good
from gateway.configuration.sections import governed, sections_of
from gateway.configuration.snapshot import PLACE, keep, last_good
from kernel.secrets import SecretRef
from kernel.sections.limits import Limits, Plan
from kernel.settings import FILE_VARIABLE, BadSettings, Connection, Settings

BUNDLE = Bundle({"limits": {"rest": 2.0}}, {"v1.yaml": "openapi: 3.1.0"}, {})
FILE = """
data = "{data}"
database_url = "{url}"
[limits]
rest = 3.5
[configuration]
strict = {strict}
"""


def test_what_was_kept_comes_back(tmp_path: Path) -> None:
    keep(tmp_path, BUNDLE, Settings(data=tmp_path))
    found = last_good(tmp_path)

    assert found is not None
    assert found.bundle == BUNDLE
    assert found.bundle.digest == BUNDLE.digest
    assert (tmp_path / PLACE).stat().st_mode & 0o777 == 0o600
    assert [file.name for file in (tmp_path / "gateway").iterdir()] == ["last-good.json"]


def test_before_the_first_there_is_none(tmp_path: Path) -> None:
    assert last_good(tmp_path) is None


@pytest.mark.parametrize("damage", [lambda text: text[:-40], lambda text: text.replace("3.1.0", "3.0.0"), lambda _: "[]"])
def test_a_damaged_one_is_refused(tmp_path: Path, damage: object) -> None:
    keep(tmp_path, BUNDLE, Settings(data=tmp_path))
    place = tmp_path / PLACE
    place.write_text(damage(place.read_text()))  # type: ignore[operator]

    with pytest.raises(BadConfiguration):
        last_good(tmp_path)


def test_a_full_disk_leaves_the_former_one(tmp_path: Path) -> None:
    keep(tmp_path, BUNDLE, Settings(data=tmp_path))
    place = tmp_path / PLACE
    place.parent.chmod(0o500)
    try:
        if not _writable(place.parent):
            with pytest.raises(OSError):
                keep(tmp_path, Bundle({}, {}, {}), Settings(data=tmp_path))
        found = last_good(tmp_path)
    finally:
        place.parent.chmod(0o700)

    assert found is not None
    assert found.bundle == BUNDLE


def _writable(folder: Path) -> bool:
    """Whoever may do everything is not stopped by permissions."""
    try:
        (folder / "probe").touch()
    except OSError:
        return False
    (folder / "probe").unlink()
    return True


def test_no_secret_is_in_it(tmp_path: Path) -> None:
    connection = Connection(
        id="crm", vendor="salesforce", base_url="http://127.0.0.1:1",
        credentials={"client_id": "me", "client_secret": "hunter2", "private_key": SecretRef(env="THE_KEY")},
    )  # fmt: skip
    url = "postgresql://trivium:hunter2@db/trivium"
    keep(tmp_path, BUNDLE, Settings(data=tmp_path, database_url=url, redis_url="redis://:hunter2@r/0", connections=[connection]))
    text = (tmp_path / PLACE).read_text()
    kept = json.loads(text)["content"]["settings"]

    assert "hunter2" not in text
    assert kept["connections"][0]["credentials"] == {"client_id": "me", "private_key": {"file": None, "env": "THE_KEY"}}
    assert kept["database_url"] == "postgresql://trivium@db/trivium"


def test_governed_sections_come_back_as_they_were(tmp_path: Path) -> None:
    settings = Settings(data=tmp_path, limits=Limits(rest=2.5), plans={"gold": Plan(scale=3.0)})
    other = Settings(data=tmp_path / "other", plans={"silver": Plan(scale=2.0)})
    found = governed(other, json.loads(json.dumps(sections_of(settings))))

    assert found.limits == settings.limits
    assert found.plans == settings.plans
    assert found.data == tmp_path / "other"


def test_a_section_nobody_knows_is_refused() -> None:
    with pytest.raises(ValueError, match="tomorrow: not known"):
        governed(Settings(), {"tomorrow": {}})
    with pytest.raises(ValueError, match=r"limits\.rest: "):
        governed(Settings(), {"limits": {"rest": -1}})


class _Environment:
    """A settings file and a data directory, named by variables as a process finds them."""

    def __init__(self, folder: Path, patch: pytest.MonkeyPatch) -> None:
        self.folder, self.file = folder, folder / "trivium.toml"
        patch.setenv(FILE_VARIABLE, str(self.file))
        self.write()

    def write(self, strict: bool = False, url: str = "", more: str = "") -> None:
        said = FILE.format(data=self.folder / "data", url=url, strict=str(strict).lower())
        self.file.write_text(said + more, encoding="utf-8")

    def keep(self) -> None:
        settings = settings_or_last_good()
        keep(settings.data, BUNDLE, settings)


@pytest.fixture
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> _Environment:
    return _Environment(tmp_path, monkeypatch)


@pytest.mark.parametrize("more", ["\n[limitz]\n", "\n[decisions]\nmost = -1\n"])
def test_a_broken_settings_file_leaves_the_last_good_settings(environment: _Environment, more: str) -> None:
    environment.keep()
    environment.write(more=more)
    found = settings_or_last_good()

    assert isinstance(found, LastGoodSettings)
    assert found.limits.rest == 3.5
    assert found.data == environment.folder / "data"
    assert any("limitz" in fault or "decisions.most" in fault for fault in found.faults)


def test_variables_still_override(environment: _Environment, monkeypatch: pytest.MonkeyPatch) -> None:
    environment.keep()
    environment.write(more="\n[limitz]\n")
    monkeypatch.setenv("TRIVIUM_SERVER__PORT", "9999")

    assert settings_or_last_good().server.port == 9999


def test_a_file_that_is_not_even_toml_needs_the_data_directory_from_elsewhere(
    environment: _Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    environment.keep()
    environment.file.write_text("data = [", encoding="utf-8")
    monkeypatch.setenv("TRIVIUM_DATA", str(environment.folder / "data"))

    assert settings_or_last_good().limits.rest == 3.5


def test_where_it_was_strict_or_there_is_none_the_start_is_refused(environment: _Environment) -> None:
    environment.write(more="\n[limitz]\n")
    with pytest.raises(BadSettings, match="limitz"):
        settings_or_last_good()
    environment.write(strict=True)
    environment.keep()
    environment.write(more="\n[limitz]\n")
    with pytest.raises(BadSettings, match="limitz"):
        settings_or_last_good()
