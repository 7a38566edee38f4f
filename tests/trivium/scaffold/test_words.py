"""Whatever a new part may be called, what is written of it fits its lines and can be read by Python."""

import ast
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.trivium.scaffold.house import ROOT
from trivium.scaffold.tree import Tree
from trivium.scaffold.words import LONGEST, CannotScaffold, filled, named, words

KINDS = ("api", "process", "policy", "version")


def written(tmp_path, name):
    """Every template of every kind, as it is written for this name."""
    files = []
    for kind in KINDS:
        tree = Tree(tmp_path / kind)
        tree.copy(kind, words(name, layer="experience", team="receivables", old="1", new="2", was="old_api", will="new_api"))
        files += tree.write()
    return files


def ruff(command, *arguments):
    configured = [sys.executable, "-m", "ruff", command, "--config", ROOT / "pyproject.toml"]
    return subprocess.run([*configured, *arguments], capture_output=True, text=True, check=False)


@pytest.mark.parametrize("name", ["tax", "abc", "credit_notes", "glass", "wide_" * 5 + "names"])
def test_every_template_is_python_that_fits(tmp_path, name):
    files = written(tmp_path, named(name))
    for file in files:
        ast.parse(file.read_text())
    ruff("format", "--quiet", *files)
    said = ruff("check", "--select", "E,F,W,B,UP,RUF", "--ignore", "RUF001,RUF002,RUF003", *files)

    assert said.returncode == 0, said.stdout
    assert not [file for file in files if "@" in file.name]


@given(st.text(max_size=LONGEST + 5))
def test_a_name_is_taken_as_it_is_or_refused(name):
    try:
        assert named(name) == name
    except CannotScaffold:
        return
    assert name.isascii()
    assert name.isidentifier()
    assert name == name.lower()


@pytest.mark.parametrize("name", ["is", "ifs", "imports", "class", "x" * (LONGEST + 1), "Orders", "a__b", "_abc", "abc_"])
def test_what_cannot_be_written_is_refused(name):
    with pytest.raises(CannotScaffold, match="is no name here"):
        named(name)


def test_a_word_that_is_not_known_is_never_left_standing():
    with pytest.raises(KeyError):
        filled("class @Thimg@:", words("orders"))
