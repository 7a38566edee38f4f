"""The audit log of a process, opened on what its house has."""

from pathlib import Path

from prometheus_client import CollectorRegistry

from gateway.audit.anchors import AnchorFile
from gateway.audit.recorder import AuditLog
from gateway.audit.store import AuditStore
from gateway.oauth.sealing import decode, key_in
from kernel.clock import Clock
from kernel.db import Database
from kernel.sections.audit import Audit as Settings

KEY_FILE = "audit.key"


def audit_key(data: Path, settings: Settings) -> bytes:
    """The key that seals every chain. Raises BadSeal, or SecretMissing."""
    return key_in(data / KEY_FILE) if settings.key is None else decode(settings.key.resolve(data).get_secret_value())


def open_audit(database: Database, data: Path, settings: Settings, clock: Clock, registry: CollectorRegistry) -> AuditLog:
    """Ready to take entries; they are written once it is started."""
    key = audit_key(data, settings)
    return AuditLog(AuditStore(database), key, AnchorFile(data, key), clock, settings, registry)
