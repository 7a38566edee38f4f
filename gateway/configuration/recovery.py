"""A settings file that cannot be used does not stop a restart: the settings of the last good configuration are used, loudly.

Variables still override what was kept. What is secret was not kept: a password in a URL has to come from its variable.
"""

import os
import tomllib
from contextlib import suppress
from pathlib import Path
from typing import Any, ClassVar

import structlog
from pydantic import ValidationError
from pydantic_settings import BaseSettings, InitSettingsSource, PydanticBaseSettingsSource

from gateway.configuration.bundle import BadConfiguration
from gateway.configuration.sections import faults_of
from gateway.configuration.snapshot import Snapshot, last_good
from gateway.configuration.source import settings_as_they_stand
from kernel.settings import BadSettings, Settings, settings_file


class LastGoodSettings(Settings):
    """`kept`: what they are made of; `faults`: what is wrong with the settings as they stand."""

    kept: ClassVar[dict[str, Any]] = {}
    faults: ClassVar[tuple[str, ...]] = ()

    @classmethod
    def of(cls, snapshot: Snapshot, faults: list[str]) -> "LastGoodSettings":
        """Raises BadSettings when what was kept does not make settings of this program."""
        known = {name: said for name, said in snapshot.settings.items() if name in Settings.model_fields}
        wrong = tuple(faults)

        class Found(LastGoodSettings):
            kept: ClassVar[dict[str, Any]] = known
            faults: ClassVar[tuple[str, ...]] = wrong

        try:
            return Found()
        except ValidationError as error:
            lines = "; ".join(faults_of(error))
            raise BadSettings(f"the configuration is broken, and the last good one does not fit either: {lines}") from None

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return env_settings, InitSettingsSource(settings_cls, cls.kept)


def settings_or_last_good() -> Settings:
    """For a process that serves. Raises BadSettings where there is nothing to fall back on, or the last good one was strict."""
    try:
        return settings_as_they_stand()
    except BadConfiguration as error:
        broken = BadSettings("the configuration cannot be used:\n" + "\n".join(error.faults))
        try:
            snapshot = last_good(_data())
        except BadConfiguration:
            raise broken from None
        if snapshot is None or snapshot.settings.get("configuration", {}).get("strict"):
            raise broken from None
        found = LastGoodSettings.of(snapshot, error.faults)
        structlog.get_logger("configuration").error("the settings are broken, the last good ones are used", faults=error.faults)
        return found


def _data() -> Path:
    """The data directory, as far as a broken file still says it."""
    named = os.environ.get("TRIVIUM_DATA", "")
    if not named:
        with suppress(OSError, ValueError):
            file = settings_file()
            named = str(tomllib.loads(file.read_text(encoding="utf-8")).get("data", "")) if file else ""
    return Path(named or str(Settings.model_fields["data"].default))
