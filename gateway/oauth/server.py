"""The authorization server of one process, its parts put together once: clients, users, keys, trust, tokens, verifiers."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from gateway.oauth.access_token import AccessTokens, Names
from gateway.oauth.assertion import Assertions
from gateway.oauth.authorizations import AuthorizationStore
from gateway.oauth.client_proof import ClientProofs
from gateway.oauth.clients import ClientStore
from gateway.oauth.dpop import Proofs
from gateway.oauth.hops import Hops
from gateway.oauth.issuers import ExternalIssuer, external_issuers
from gateway.oauth.keys import KeyStore
from gateway.oauth.metadata import RESOURCE, TOKEN, issuer, well_known
from gateway.oauth.once import Once, OnceInDatabase, once_for
from gateway.oauth.possession import Possession
from gateway.oauth.registrations import RegistrationStore
from gateway.oauth.sealing import load_seal
from gateway.oauth.sessions import SessionStore
from gateway.oauth.terminator import Terminator
from gateway.oauth.trust import Trust
from gateway.oauth.trust_store import TrustStore
from gateway.oauth.users import UserStore
from gateway.oauth.verifier import Verifier
from kernel.clock import Clock
from kernel.db import Database
from kernel.secrets import SecretRef
from kernel.sections.issuers import Issuer
from kernel.sections.oauth import OAuth
from kernel.sections.terminator import Terminator as TerminatorSettings

_DAY = 86_400


@dataclass(frozen=True, slots=True)
class AuthorizationServer:
    """What the door needs to issue and to check tokens. `inner` checks those between our own processes."""

    names: Names
    clients: ClientStore
    users: UserStore
    sessions: SessionStore
    authorizations: AuthorizationStore
    registrations: RegistrationStore
    keys: KeyStore
    trust: Trust
    tokens: AccessTokens
    verifier: Verifier
    inner: Verifier
    hops: Hops
    proofs: ClientProofs
    issuers: Mapping[str, ExternalIssuer]
    once: Once

    async def close(self) -> None:
        for external in self.issuers.values():
            await external.close()
        await self.once.close()
        await self.trust.close()


async def open_server(
    database: Database,
    *,
    public_url: str,
    data: Path,
    clock: Clock,
    audiences: Collection[str] = (),
    key_encryption: SecretRef | None = None,
    terms: OAuth | None = None,
    issuers: Sequence[Issuer] = (),
    terminator: TerminatorSettings | None = None,
    redis_url: str = "",
    process: str = "trivium",
) -> AuthorizationServer:
    """Opens it on tables that exist (`Database.create_all`); the first process to do so makes the signing keys.

    `audiences` are accepted and issued beside the public URL; `terms` say how long things live; `issuers` are trusted beside
    ourselves, and need not answer now; `process` is what other processes of ours know this one by.
    Raises BadIssuer or BadSeal when it must not start.
    """
    base, stores = issuer(public_url), _stores(database, clock, terms or OAuth())
    names = Names(base, tuple(dict.fromkeys((base, *audiences))))
    keys = KeyStore(database, load_seal(data, key_encryption), clock)
    trust = await _trust(database, keys, clock)
    external, once = external_issuers(issuers, names.audiences, clock), once_for(database, clock, redis_url)
    for one in external.values():
        one.start()
    about, tokens = well_known(base, RESOURCE), AccessTokens(names, trust, clock)
    possession = Possession(Proofs(base, clock, once), Terminator(terminator))
    assertions = Assertions((base, base + TOKEN), stores.clients.find, OnceInDatabase(database, clock), clock)
    return AuthorizationServer(
        names,
        *stores,
        keys=keys,
        trust=trust,
        tokens=tokens,
        verifier=Verifier(names, trust, clock, resource_metadata=about, issuers=external, possession=possession),
        inner=Verifier(names.inner, trust, clock, resource_metadata=about),
        hops=Hops(names, tokens, trust, clock, process),
        proofs=ClientProofs(stores.clients, assertions, possession),
        issuers=external,
        once=once,
    )


async def _trust(database: Database, keys: KeyStore, clock: Clock) -> Trust:
    await keys.ensure()
    trust = Trust(TrustStore(database, keys, clock), clock)
    await trust.start()
    return trust


class _Stores(NamedTuple):
    clients: ClientStore
    users: UserStore
    sessions: SessionStore
    authorizations: AuthorizationStore
    registrations: RegistrationStore


def _stores(database: Database, clock: Clock, terms: OAuth) -> _Stores:
    clients = ClientStore(database, clock)
    idle, longest = int(terms.refresh_idle_days * _DAY), int(terms.refresh_longest_days * _DAY)
    return _Stores(
        clients,
        UserStore(database, clock),
        SessionStore(database, clock),
        AuthorizationStore(database, clock, idle=idle, longest=longest),
        RegistrationStore(database, clients, clock, terms.registrations),
    )
