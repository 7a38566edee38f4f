"""What every command shares: the terminal, the settings in force, and refusals in words that say what to do."""

import asyncio
import os
import sys
from collections.abc import Callable, Coroutine
from typing import Any, NoReturn, TypeVar

import typer
from rich.console import Console
from rich.text import Text

from gateway.configuration.bundle import BadConfiguration
from gateway.configuration.recovery import settings_or_last_good
from gateway.contracts import BadContract
from gateway.oauth.clients import BadClient
from kernel.durable.locks import EngineRefused
from kernel.secrets import SecretMissing
from kernel.settings import FILE_VARIABLE, BadSettings, Settings, settings_file
from kernel.settings import load as load_settings
from sandbox.server import UnknownVendor
from system_apis.connector import MissingCredential
from trivium import demo
from trivium.configurations import NotApplied
from trivium.journey import JourneyFailed
from trivium.supervisor import NotReady

T = TypeVar("T")
WIDE = 160  # columns where nobody's terminal says how many there are: what a program reads is not cut off
out = Console(width=None if sys.stdout.isatty() else WIDE)
err = Console(stderr=True, width=None if sys.stderr.isatty() else WIDE)

REFUSALS = (
    BadSettings, BadConfiguration, BadContract, BadClient, EngineRefused, SecretMissing, MissingCredential, UnknownVendor,
    NotReady, JourneyFailed, NotApplied,
)  # fmt: skip


def settings_in_force(port: int | None = None) -> Settings:
    """The settings in force; without a trivium.toml those of the example, which need nothing but this machine."""
    try:
        if settings_file() is None:
            os.environ[FILE_VARIABLE] = str(demo.EXAMPLE)
        if port is not None:
            os.environ["TRIVIUM_SERVER__PORT"] = str(port)
        return load_settings()
    except REFUSALS as error:
        refuse(str(error))


def settings_to_serve(port: int | None = None) -> Settings:
    """The settings in force; where they are broken, the last good ones."""
    try:
        if settings_file() is None:
            os.environ[FILE_VARIABLE] = str(demo.EXAMPLE)
        if port is not None:
            os.environ["TRIVIUM_SERVER__PORT"] = str(port)
        return settings_or_last_good()
    except REFUSALS as error:
        refuse(str(error))


def run(job: Callable[[], Coroutine[Any, Any, T]], loop: Callable[[], asyncio.AbstractEventLoop] | None = None) -> T:
    """Runs a job; what refuses to go on says why and ends the command with code 1."""
    try:
        with asyncio.Runner(loop_factory=loop) as runner:
            return runner.run(job())
    except REFUSALS as error:
        refuse(str(error))
    except KeyboardInterrupt:
        raise typer.Exit(130) from None
    except asyncio.CancelledError:
        raise typer.Exit(143) from None


def refuse(message: str, code: int = 1) -> NoReturn:
    err.print("[bold red]trivium:[/]", Text(message), highlight=False)
    raise typer.Exit(code)
