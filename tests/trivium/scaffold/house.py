"""A copy of the house in which a test may build."""

import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

from typer.testing import CliRunner

from trivium.commands.new import app

ROOT = Path(__file__).parent.parent.parent.parent
FOLDERS = (*tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["root_packages"], "tests")
FILES = ("pyproject.toml", "mappings.example.toml", "trivium.example.toml")


class House:
    """`run` answers what a command printed; it fails the test where the command fails."""

    def __init__(self, root):
        self.root = root
        for folder in FOLDERS:
            ignored = shutil.ignore_patterns("node_modules", "__pycache__")
            shutil.copytree(ROOT / folder, root / folder, ignore=ignored)
        for file in FILES:
            shutil.copy(ROOT / file, root / file)
        self.before = self.files()

    def files(self):
        return {str(file.relative_to(self.root)): file.read_bytes() for file in self.root.rglob("*") if _counts(file)}

    @property
    def touched(self):
        """What was written since the house was copied."""
        return sorted(name for name, content in self.files().items() if self.before.get(name) != content)

    def run(self, *command):
        return self.python("-m", *command)

    def python(self, *arguments):
        command = [sys.executable, *map(str, arguments)]
        done = subprocess.run(command, cwd=self.root, capture_output=True, text=True, check=False, timeout=180)
        assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
        return done.stdout

    def new(self, *arguments):
        """Answers the exit code and what was said, in one line."""
        done = CliRunner().invoke(app, [*arguments, "--root", str(self.root)])
        return done.exit_code, " ".join(done.output.split())


def _counts(file):
    return file.is_file() and "__pycache__" not in file.parts and file.suffix in (".py", ".yaml", ".toml", ".md")
