"""The authorization server of one process, its parts put together once: clients, keys, trust, tokens, verifier."""

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from gateway.oauth.access_token import AccessTokens, Names
from gateway.oauth.clients import ClientStore
from gateway.oauth.keys import KeyStore
from gateway.oauth.metadata import RESOURCE, issuer, well_known
from gateway.oauth.sealing import load_seal
from gateway.oauth.trust import Trust
from gateway.oauth.trust_store import TrustStore
from gateway.oauth.verifier import Verifier
from kernel.clock import Clock
from kernel.db import Database
from kernel.secrets import SecretRef


@dataclass(frozen=True, slots=True)
class AuthorizationServer:
    """What the door needs to issue and to check tokens."""

    names: Names
    clients: ClientStore
    keys: KeyStore
    trust: Trust
    tokens: AccessTokens
    verifier: Verifier

    async def close(self) -> None:
        await self.trust.close()


async def open_server(
    database: Database,
    *,
    public_url: str,
    data: Path,
    clock: Clock,
    audiences: Collection[str] = (),
    key_encryption: SecretRef | None = None,
) -> AuthorizationServer:
    """Opens it on tables that exist (`Database.create_all`); the first process to do so makes the signing keys.

    `audiences` are accepted and issued beside the public URL. Raises BadIssuer or BadSeal when it must not start.
    """
    base = issuer(public_url)
    names = Names(base, tuple(dict.fromkeys((base, *audiences))))
    keys = KeyStore(database, load_seal(data, key_encryption), clock)
    await keys.ensure()
    trust = Trust(TrustStore(database, keys, clock), clock)
    await trust.start()
    verifier = Verifier(names, trust, clock, resource_metadata=well_known(base, RESOURCE))
    return AuthorizationServer(names, ClientStore(database, clock), keys, trust, AccessTokens(names, trust, clock), verifier)
