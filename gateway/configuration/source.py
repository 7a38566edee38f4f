"""Where a configuration comes from: the settings file and the directory of contracts, as they stand when they are asked for."""

from collections.abc import Callable
from pathlib import Path

from pydantic import ValidationError

from gateway.configuration.bundle import BadConfiguration, Bundle, read_bundle
from gateway.configuration.sections import faults_of
from kernel.settings import BadSettings, Settings, settings_file

Reread = Callable[[], Settings]
PROMISED = Path(__file__).parent.parent.parent / "contracts" / "openapi"  # the program's own contracts


def settings_as_they_stand() -> Settings:
    """File and environment, read now. Raises BadConfiguration with every fault."""
    try:
        return Settings()
    except ValidationError as error:
        raise BadConfiguration(faults_of(error, str(settings_file() or "settings"))) from None
    except ValueError as error:  # BadSettings, and a file that is not TOML
        raise BadConfiguration([f"{settings_file() or 'settings'}: {error}"]) from None


class Files:
    """`reread`: how this process gets its settings anew."""

    def __init__(self, reread: Reread = settings_as_they_stand) -> None:
        self._reread = reread

    def read(self) -> tuple[Settings, Bundle]:
        """Blocking. Raises BadConfiguration with everything that cannot be read."""
        settings = self._reread()
        return settings, self.bundle(settings)

    def bundle(self, settings: Settings) -> Bundle:
        """Blocking. What these settings and the contracts they name make up."""
        return read_bundle(settings, contracts_of(settings), base())


def contracts_of(settings: Settings) -> Path:
    named = settings.configuration.contracts
    return PROMISED if named is None else base() / named


def base() -> Path:
    """What paths in the settings are relative to. Raises BadConfiguration where TRIVIUM_CONFIG names no file."""
    try:
        return (settings_file() or Path("trivium.toml")).parent
    except BadSettings as error:
        raise BadConfiguration([str(error)]) from None
