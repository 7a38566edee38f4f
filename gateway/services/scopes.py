"""Which scope an operation of a foreign service needs: what the settings say of it, what its document says, or read and write."""

from collections.abc import Callable
from typing import Any

from gateway.schemas import Document, Wire
from kernel.sections.services import Service

SCHEME = "trivium"
_READS = ("GET ", "HEAD ")
_FLOWS = frozenset({"oauth2", "openIdConnect"})


class Scopes:
    """Of one service. `named`: all that were given out, with what they are for."""

    def __init__(self, service: Service, document: Document) -> None:
        self._service, self._document = service, document
        self.named: dict[str, str] = {}

    def security(self, at: str, said: Wire, identity: str, note: Callable[[str], None]) -> list[dict[str, list[str]]]:
        """As the contract has it; [] for what the settings declare public. `at`: method and path."""
        if identity in self._service.public:
            return []
        scopes = self._of(at, said, identity, note)
        self.named |= {scope: f"{self._service.name}: {scope.rpartition(':')[2]}" for scope in scopes}
        return [{SCHEME: scopes}]

    def _of(self, at: str, said: Wire, identity: str, note: Callable[[str], None]) -> list[str]:
        rule = self._service.scopes
        if identity in rule.operations:
            return [rule.operations[identity]]
        listed = said.get("security", self._document.root.get("security")) or []
        theirs = [scopes for scopes in map(self._flow, listed) if scopes]
        if len(theirs) == 1 and len(listed) == 1:
            return theirs[0]
        mapped = (
            rule.read or f"{self._service.name}:read" if at.startswith(_READS) else rule.write or f"{self._service.name}:write"
        )
        if theirs:
            note(f"needs {mapped} here: its document has alternatives, of which one scheme alone can be asked for")
        return [mapped]

    def _flow(self, requirement: Any) -> list[str]:
        """The scopes of a requirement that is one OAuth scheme."""
        if not isinstance(requirement, dict) or len(requirement) != 1:
            return []
        ((scheme, scopes),) = requirement.items()
        schemes = self._document.root.get("components", {}).get("securitySchemes", {})
        kind = self._document.follow(schemes.get(scheme, {})).get("type")
        return [str(scope) for scope in scopes] if kind in _FLOWS and isinstance(scopes, list) else []
