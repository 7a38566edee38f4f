"""The last configuration that worked, kept on disk: renamed into place whole, and believed only if its sum is right."""

import hashlib
import json
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from gateway.configuration.bundle import BadConfiguration, Bundle
from kernel.settings import Settings
from kernel.telemetry import redacted

PLACE = Path("gateway") / "last-good.json"  # in the data directory


@dataclass(frozen=True)
class Snapshot:
    """`settings`: all of them, without secrets, for a start at which the settings file cannot be read."""

    bundle: Bundle
    settings: Mapping[str, Any]


def keep(data: Path, bundle: Bundle, settings: Settings) -> None:
    """Atomic and durable: whoever reads sees the former one or this one. Raises OSError."""
    place = data / PLACE
    place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    content = {"bundle": bundle.json(), "settings": told(settings)}
    written = _canonical(content)
    document = b'{"sha256":"' + hashlib.sha256(written).hexdigest().encode() + b'","content":' + written + b"}\n"
    aside = place.with_name(f".{place.name}.{secrets.token_hex(8)}")
    descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(document)
            file.flush()
            os.fsync(file.fileno())
        aside.replace(place)
    except BaseException:
        aside.unlink(missing_ok=True)
        raise


def last_good(data: Path) -> Snapshot | None:
    """None when there is none yet. Raises BadConfiguration when it was damaged."""
    place = data / PLACE
    try:
        document = json.loads(place.read_bytes())
        content = document["content"]
        if hashlib.sha256(_canonical(content)).hexdigest() != document["sha256"]:
            raise ValueError("its sum is wrong")
        return Snapshot(Bundle.of_json(content["bundle"]), content["settings"])
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BadConfiguration([f"{place}: cannot be used: {error}"]) from None


def told(settings: Settings) -> dict[str, Any]:
    """The settings without what is secret: passwords in URLs, and credentials that are written out."""
    said: dict[str, Any] = settings.model_dump(mode="json", exclude_unset=False)
    for name in ("database_url", "redis_url"):
        said[name] = _without_password(said[name])
    for connection in said["connections"]:
        connection["credentials"] = {
            name: value
            for name, value in connection["credentials"].items()
            if not isinstance(value, str) or redacted(value, name) == value
        }
    return said


def _without_password(url: str) -> str:
    """The user stays; an empty password is asked for from elsewhere (PGPASSFILE) or refused."""
    parts = urlsplit(url)
    if parts.password is None:
        return url
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=f"{parts.username or ''}@{host}"))


def _canonical(content: Any) -> bytes:
    return json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
