"""One file, overridden by variables; what cannot be used is refused in words that name the key."""

import pytest

from kernel.secrets import SecretMissing, SecretRef
from kernel.settings import BadSettings, load


@pytest.fixture
def written(tmp_path, monkeypatch):
    def write(text):
        file = tmp_path / "trivium.toml"
        file.write_text(text)
        monkeypatch.setenv("TRIVIUM_CONFIG", str(file))
        return file

    return write


def test_variables_override_the_file(written, monkeypatch):
    written('data = "from-file"\n[server]\nport = 9000\n')
    monkeypatch.setenv("TRIVIUM_SERVER__PORT", "9001")

    settings = load()

    assert (str(settings.data), settings.server.port) == ("from-file", 9001)


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("[server]\nport = 70000\n", "server.port"),
        ("prot = 1\n", "prot"),
        ('[[connections]]\nid = "A b"\nvendor = "x"\n', "connections.0"),
    ],
)
def test_what_cannot_be_used_is_named(written, text, key):
    written(text)

    with pytest.raises(BadSettings, match=key.replace(".", r"\.")):
        load()


def test_a_file_that_is_not_there_is_said_to_be_missing(monkeypatch):
    monkeypatch.setenv("TRIVIUM_CONFIG", "nowhere.toml")

    with pytest.raises(BadSettings, match=r"nowhere\.toml"):
        load()


def test_the_example_is_complete_and_loads(monkeypatch):
    monkeypatch.setenv("TRIVIUM_CONFIG", "trivium.example.toml")

    settings = load()

    assert {connection.vendor for connection in settings.connections} == {"salesforce", "stripe", "netsuite"}
    assert settings.sandbox.ports
    assert settings.mappings is not None
    assert settings.mappings.is_file()


def test_a_secret_is_read_where_it_is_kept_and_never_shown(tmp_path, monkeypatch):
    (tmp_path / "key").write_text("s3cret\n")
    monkeypatch.setenv("A_SECRET", "other")

    found = SecretRef(file="key").resolve(tmp_path), SecretRef(env="A_SECRET").resolve()

    assert [secret.get_secret_value() for secret in found] == ["s3cret", "other"]
    assert "s3cret" not in repr(found)


@pytest.mark.parametrize("reference", [{"file": "missing"}, {"env": "NOT_SET_ANYWHERE"}])
def test_a_secret_that_does_not_resolve_fails_closed(reference, tmp_path):
    with pytest.raises(SecretMissing):
        SecretRef(**reference).resolve(tmp_path)


@pytest.mark.parametrize("reference", [{}, {"file": "a", "env": "B"}])
def test_a_secret_is_kept_in_one_place(reference):
    with pytest.raises(ValueError, match="one of"):
        SecretRef(**reference)
