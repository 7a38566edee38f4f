"""The catalog of what a process promises: built when somebody first asks, and anew when the promises change."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

import structlog

from gateway.configuration.source import contracts_of
from gateway.pipeline import Operation
from governance.catalog.catalog import Catalog, Collected, catalog, documents
from governance.catalog.dependencies import Connected
from governance.consumers.declared import Application
from governance.consumers.declared import read as applications
from governance.lint.configuration import FILE, BadConfiguration, Configuration
from governance.lint.configuration import read as lint_configuration
from governance.publishing.evidence import releases
from governance.rules import RULES
from governance.source import Unreadable
from kernel.settings import Settings

_log = structlog.get_logger()


@dataclass
class Library:
    """One of a process: the catalog of the promises that were asked about last."""

    _promised: tuple[Operation, ...] | None = None
    _catalog: Catalog | None = None
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def of(self, settings: Settings, promised: tuple[Operation, ...], today: date) -> Catalog:
        async with self._lock:
            if self._catalog is None or self._promised is not promised:
                self._catalog = await asyncio.to_thread(_made, settings, promised, today)
                self._promised = promised
            return self._catalog


def _made(settings: Settings, promised: Sequence[Operation], today: date) -> Catalog:
    found = {f"{one.api} {one.version}": one.document.root for one in promised if one.document is not None}
    contracts, folder = documents(found.items()), contracts_of(settings).parent
    proofs = {contract.api: releases(folder, contract.api) for contract in contracts}
    collected = Collected(contracts, proofs, _applications(settings), _connected(settings), lint=_lint(settings))
    return catalog(collected, today)


def _applications(settings: Settings) -> list[Application]:
    try:
        return applications(contracts_of(settings).parent)
    except Unreadable as error:
        _log.warning("consumers cannot be shown in the catalog", why=str(error))
        return []


def _lint(settings: Settings) -> Configuration:
    try:
        return lint_configuration(contracts_of(settings).parent / FILE, RULES)
    except BadConfiguration as error:
        _log.warning("the catalog judges contracts by the rules' own severities", why=str(error))
        return Configuration()


def _connected(settings: Settings) -> list[Connected]:
    """Routes say which connections have books and which have bills; what no route names is a CRM."""
    roles = {route.erp: "erp" for route in settings.routes} | {route.billing: "billing" for route in settings.routes}
    return [Connected(one.id, one.vendor, f"system/{roles.get(one.id, 'crm')}") for one in settings.connections]
