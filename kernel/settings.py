"""One file, `trivium.toml`, overridden by `TRIVIUM_*` variables (`TRIVIUM_SERVER__PORT=9000`); checked whole at start.

Top-level scalars have short names of their own: TRIVIUM_DATABASE_URL, TRIVIUM_REDIS_URL, TRIVIUM_DATA.
"""

import os
from collections.abc import Mapping
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, TomlConfigSettingsSource

from kernel.secrets import SecretRef
from kernel.sections.audit import Audit
from kernel.sections.base import Section
from kernel.sections.catalog import Catalog
from kernel.sections.consumption import Consumption
from kernel.sections.decisions import Configuration, Decisions
from kernel.sections.door import Door
from kernel.sections.issuers import Issuer
from kernel.sections.limits import Limits, Plan
from kernel.sections.oauth import OAuth
from kernel.sections.replays import Cache, Replays
from kernel.sections.services import Canary, Mirror, Service
from kernel.sections.shedding import Shedding
from kernel.sections.terminator import Terminator

FILE_VARIABLE = "TRIVIUM_CONFIG"
Port = Annotated[int, Field(ge=0, le=65535)]


class BadSettings(ValueError):
    """The configuration cannot be used; the message says which key and why."""


def _network(text: str) -> str:
    ip_network(text)  # raises ValueError, in words
    return text


class Server(Section):
    """Where the gateway listens. `public_url` is what callers see: the token issuer and audience.

    `trusted_proxies` are networks; what proxies there write into `proxy_header` is believed about the caller's address.
    """

    host: str = "127.0.0.1"
    port: Port = 8080
    public_url: str = ""
    trusted_proxies: list[Annotated[str, AfterValidator(_network)]] = []
    proxy_header: Literal["x-forwarded-for", "forwarded"] = "x-forwarded-for"

    @property
    def url(self) -> str:
        return self.public_url or f"http://{self.host}:{self.port}"


class Budget(Section):
    """How much of a platform one deployment may use at once; every process of it shares this."""

    concurrency: Annotated[int, Field(ge=1, le=1000)] = 10
    per_second: Annotated[int, Field(ge=1, le=10_000)] = 50
    burst: Annotated[int, Field(ge=1, le=10_000)] = 100


class Patience(Section):
    """Seconds and counts: the deadline of one call, how often a retryable one is repeated, when the breaker opens."""

    deadline: Annotated[float, Field(gt=0, le=300)] = 10.0
    attempts: Annotated[int, Field(ge=1, le=10)] = 4
    first_pause: Annotated[float, Field(ge=0, le=60)] = 0.2
    longest_pause: Annotated[float, Field(ge=0, le=300)] = 5.0
    breaker_failures: Annotated[int, Field(ge=1, le=1000)] = 10
    breaker_seconds: Annotated[float, Field(ge=0, le=600)] = 5.0


class Connection(Section):
    """One account of a vendor's platform. `options` are the connector's own; its README lists them."""

    id: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,39}$")]
    vendor: str
    base_url: str
    credentials: Mapping[str, str | SecretRef] = Field(default_factory=dict)
    options: Mapping[str, Any] = Field(default_factory=dict)
    budget: Budget = Budget()
    patience: Patience = Patience()


class Route(Section):
    """Customers in these countries belong to this legal entity, whose books are in that ERP connection. First match wins."""

    countries: Annotated[list[str], Field(min_length=1)]  # ISO 3166-1 alpha-2, or "*"
    legal_entity: str
    erp: str  # connection id
    erp_entity_id: str  # the legal entity's id there
    billing: str  # connection id
    currency: str


class Split(Section):
    """Base URLs of the layers when each is a process of its own; empty: in this process."""

    experience: str = ""
    process: str = ""
    system: str = ""


class Sandbox(Section):
    """The ports on which `trivium up` serves imitations of these vendors; 0: that vendor is not imitated."""

    salesforce: Port = 0
    stripe: Port = 0
    netsuite: Port = 0

    @property
    def ports(self) -> dict[str, int]:
        return {vendor: port for vendor, port in self.model_dump().items() if port}


class Telemetry(Section):
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log_format: Literal["json", "console"] = "json"
    otlp_endpoint: str | None = None
    trace_ratio: Annotated[float, Field(ge=0, le=1)] = 0.05


class Settings(BaseSettings):
    """The whole configuration of one deployment."""

    model_config = SettingsConfigDict(env_prefix="TRIVIUM_", env_nested_delimiter="__", extra="forbid", frozen=True)

    data: Path = Path(".trivium")
    database_url: str = ""
    redis_url: str = ""
    server: Server = Server()
    connections: list[Connection] = []
    routes: list[Route] = []
    mappings_file: Path | None = None
    credit_decision_days: Annotated[int, Field(ge=1, le=90)] = 5
    answer_within: Annotated[float, Field(gt=0, le=60)] = 8.0
    check_deadline: Annotated[float, Field(gt=0, le=60)] = 3.0
    telemetry: Telemetry = Telemetry()
    split: Split = Split()
    sandbox: Sandbox = Sandbox()
    oauth: OAuth = OAuth()
    issuers: list[Issuer] = []
    terminator: Terminator = Terminator()
    limits: Limits = Limits()
    plans: Mapping[str, Plan] = {}
    shedding: Shedding = Shedding()
    door: Door = Door()
    replays: Replays = Replays()
    cache: Cache = Cache()
    audit: Audit = Audit()
    decisions: Decisions = Decisions()
    consumption: Consumption = Consumption()
    configuration: Configuration = Configuration()
    services: list[Service] = []
    canaries: list[Canary] = []
    mirrors: list[Mirror] = []
    catalog: Catalog = Catalog()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls, settings_file())

    @property
    def database(self) -> str:
        """The SQLAlchemy URL of our own tables; an SQLite file in `data` unless another is set."""
        return self.database_url or f"sqlite:///{(self.data / 'trivium.sqlite').absolute()}"

    @property
    def sandboxed(self) -> bool:
        """Whether every connection leads to the bundled sandbox, and none to a real platform."""
        served = {f"http://127.0.0.1:{port}" for port in self.sandbox.ports.values()}
        return bool(served) and {connection.base_url.rstrip("/") for connection in self.connections} <= served

    @property
    def mappings(self) -> Path | None:
        """The mappings file; a relative path is relative to the settings file."""
        if self.mappings_file is None:
            return None
        return (settings_file() or Path()).parent / self.mappings_file

    @property
    def embedded(self) -> bool:
        """Whether one machine and one process is all there is."""
        return self.database.startswith("sqlite")


def settings_file() -> Path | None:
    """The file in force: the one that TRIVIUM_CONFIG names, else `trivium.toml` here, else none."""
    named = os.environ.get(FILE_VARIABLE)
    if named and not Path(named).is_file():
        raise BadSettings(f"{FILE_VARIABLE} names {named}, which is not a file")
    place = Path(named or "trivium.toml")
    return place if place.is_file() else None


def load(**overrides: Any) -> Settings:
    """Reads file and environment; raises BadSettings in words that say what to change."""
    try:
        return Settings(**overrides)
    except ValidationError as error:
        where = "; ".join(f"{'.'.join(str(part) for part in e['loc'])}: {e['msg']}" for e in error.errors()[:5])
        raise BadSettings(f"the configuration cannot be used: {where}") from None
