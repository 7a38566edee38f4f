"""The key-encryption key is made once, kept to its owner, or given."""

import base64
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from gateway.oauth.sealing import FILE, BadSeal, load_seal
from kernel.secrets import SecretMissing, SecretRef


def test_the_first_start_makes_a_key_that_only_its_owner_can_read(tmp_path: Path) -> None:
    sealed = load_seal(tmp_path / "data").close(b"private", "kid")
    place = tmp_path / "data" / FILE

    assert place.stat().st_mode & 0o777 == 0o600
    assert load_seal(tmp_path / "data").open(sealed, "kid") == b"private"
    assert [file.name for file in place.parent.iterdir()] == [FILE]


def test_processes_that_start_together_agree_on_one_key(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        seals = list(pool.map(lambda _: load_seal(tmp_path), range(16)))
    sealed = seals[0].close(b"private", "kid")

    assert {seal.open(sealed, "kid") for seal in seals} == {b"private"}


def test_a_key_that_others_can_read_stops_the_start(tmp_path: Path) -> None:
    load_seal(tmp_path)
    (tmp_path / FILE).chmod(0o640)

    with pytest.raises(BadSeal, match="chmod 600"):
        load_seal(tmp_path)


@pytest.mark.parametrize("encode", [base64.b64encode, base64.urlsafe_b64encode])
def test_a_given_key_is_taken_in_either_base64_and_no_file_is_made(tmp_path: Path, encode) -> None:
    (tmp_path / "given").write_bytes(encode(b"\xff" * 32) + b"\n")
    given = SecretRef(file=Path("given"))
    sealed = load_seal(tmp_path, given).close(b"private", "kid")

    assert load_seal(tmp_path, given).open(sealed, "kid") == b"private"
    assert not (tmp_path / FILE).exists()


@pytest.mark.parametrize("text", ["short", "not base64 at all!", base64.b64encode(b"x" * 16).decode()])
def test_a_key_that_is_no_key_stops_the_start_and_says_how_to_make_one(tmp_path: Path, text: str) -> None:
    (tmp_path / "given").write_text(text)

    with pytest.raises(BadSeal, match="openssl rand -base64 32"):
        load_seal(tmp_path, SecretRef(file=Path("given")))


def test_a_reference_that_leads_nowhere_stops_the_start(tmp_path: Path) -> None:
    with pytest.raises(SecretMissing):
        load_seal(tmp_path, SecretRef(env="TRIVIUM_NO_SUCH_KEY"))
