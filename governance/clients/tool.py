"""Generators are programs of their own: looked for, asked within a deadline, and missed in words that say how to get them."""

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from governance.clients.failure import NoClient

WITHIN = 300.0  # seconds


def found(name: str, places: Sequence[Path], how: str) -> str:
    """The program: beside this Python, in `places`, or on the PATH. Raises NoClient saying `how` to install it."""
    beside = [Path(sys.executable).parent, *places]
    path = os.pathsep.join([*map(str, beside), os.environ.get("PATH", os.defpath)])
    program = shutil.which(name, path=path)
    if program is None:
        raise NoClient(f"{name} is not installed: {how}")
    return program


def run(program: str, *arguments: str, folder: Path) -> None:
    """Raises NoClient with what the program said."""
    try:
        done = subprocess.run(  # noqa: S603 - a program that was looked up by name, without a shell
            [program, *arguments], cwd=folder, capture_output=True, text=True, check=False, timeout=WITHIN
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NoClient(f"{Path(program).name} did not do its work: {error}") from None
    if done.returncode:
        said = (done.stderr or done.stdout).strip()[-2000:]
        raise NoClient(f"{Path(program).name} refuses the contract: {said}")
