"""What the authorization server remembers: clients and users, what users granted, sealed keys, revoked tokens, and one epoch.

Every change that running processes must notice takes the next epoch in its own transaction and stamps its row with it, so a
poll that saw epoch N asks for rows above N and misses none. All times are whole seconds of Unix time.
"""

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, LargeBinary, String, Table, Text, false, text
from sqlalchemy.ext.asyncio import AsyncConnection

from kernel.db import metadata

clients = Table(
    "oauth_clients",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("name", Text, nullable=False),
    Column("salt", LargeBinary, nullable=False),
    Column("scopes", Text, nullable=False),  # separated by single spaces, sorted
    Column("plan", String(64), nullable=False),
    Column("accounts", Text),  # a JSON array; NULL: not restricted to certain accounts
    Column("partner", String(64), index=True),  # NULL: a client of our own house
    Column("grants", Text, nullable=False, server_default="client_credentials"),  # separated by single spaces
    Column("auth_method", String(32), nullable=False, server_default="client_secret_basic"),  # or another of RFC 7591 section 2
    Column("jwks", Text),  # the client's public keys, for private_key_jwt
    Column("certificate", Text),  # RFC 8705: SHA-256 thumbprint (base64url) or subject, for TLS
    Column("redirect_uris", Text),  # a JSON array
    Column("dpop_required", Boolean, nullable=False, server_default=false()),
    Column("addresses", Text),  # a JSON array of networks; NULL: from anywhere
    Column("active", Boolean, nullable=False),
    Column("refuse_until", BigInteger, nullable=False),  # tokens issued at or before this moment are dead
    Column("epoch", BigInteger, nullable=False, index=True),
    Column("created_at", BigInteger, nullable=False),
)

client_secrets = Table(
    "oauth_client_secrets",
    metadata,
    Column("client_id", String(64), primary_key=True),
    Column("digest", LargeBinary, primary_key=True),
    Column("created_at", BigInteger, nullable=False),
)

signing_keys = Table(
    "oauth_signing_keys",
    metadata,
    Column("kid", String(64), primary_key=True),
    Column("state", String(8), nullable=False),  # next | active | retired
    Column("sealed", LargeBinary, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("activated_at", BigInteger),
    Column("retired_at", BigInteger),
)

revoked_tokens = Table(
    "oauth_revoked_tokens",
    metadata,
    Column("token_id", String(64), primary_key=True),
    Column("expires_at", BigInteger, nullable=False, index=True),
    Column("epoch", BigInteger, nullable=False, index=True),
)

token_origins = Table(  # what a living token stems from: it ends with its authorization, or with the token it was exchanged for
    "oauth_token_origins",
    metadata,
    Column("token_id", String(64), primary_key=True),
    Column("origin", String(80), primary_key=True),
    Column("expires_at", BigInteger, nullable=False, index=True),
    Index("oauth_token_origins_by_origin", "origin"),
)

users = Table(
    "oauth_users",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("name", String(128), nullable=False, unique=True),  # as it is compared: normalised and in lower case
    Column("salt", LargeBinary, nullable=False),
    Column("digest", LargeBinary, nullable=False),
    Column("scopes", Text, nullable=False),  # the most that the user may grant; separated by single spaces, sorted
    Column("accounts", Text),  # a JSON array; NULL: not restricted to certain accounts
    Column("partner", String(64), index=True),  # NULL: somebody of our own house
    Column("active", Boolean, nullable=False),
    Column("created_at", BigInteger, nullable=False),
)

sessions = Table(
    "oauth_sessions",
    metadata,
    Column("digest", LargeBinary, primary_key=True),  # SHA-256 of the cookie
    Column("user_id", String(64), nullable=False, index=True),
    Column("began_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False, index=True),
)

authorizations = Table(  # what a user granted to a client once: the code, then the refresh tokens that follow from it
    "oauth_authorizations",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("client_id", String(64), nullable=False, index=True),
    Column("user_id", String(64), nullable=False, index=True),
    Column("scopes", Text, nullable=False),  # separated by single spaces
    Column("redirect_uri", Text, nullable=False),
    Column("challenge", String(64), nullable=False),  # RFC 7636, S256
    Column("signed_in_at", BigInteger, nullable=False),
    Column("code", LargeBinary, nullable=False, unique=True),  # SHA-256
    Column("code_expires_at", BigInteger, nullable=False),
    Column("redeemed_at", BigInteger),  # NULL: the code was not used yet
    Column("refresh", LargeBinary),  # SHA-256 of the newest refresh token; NULL: there is none
    Column("refreshed_at", BigInteger),
    Column("confirmation", Text),  # a JSON object (RFC 7800): the key that refresh tokens are bound to
    Column("revoked_at", BigInteger),
    Column("ends_at", BigInteger, nullable=False, index=True),
)

registrations = Table(
    "oauth_registrations",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("token", LargeBinary, nullable=False),  # SHA-256 of the registration access token
    Column("said", Text, nullable=False),  # the client's metadata, a JSON object
    Column("state", String(16), nullable=False, index=True),  # pending | approved | rejected
    Column("client_id", String(64)),
    Column("told_at", BigInteger),  # when its secret was shown
    Column("decided_by", String(128)),
    Column("decided_at", BigInteger),
    Column("reason", Text),
    Column("created_at", BigInteger, nullable=False),
)

epochs = Table(
    "oauth_epoch",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("value", BigInteger, nullable=False),
)


async def next_epoch(connection: AsyncConnection) -> int:
    """Takes the next epoch; the row stays locked until the transaction ends, so epochs become visible in their order."""
    await connection.execute(text("INSERT INTO oauth_epoch (id, value) VALUES (1, 0) ON CONFLICT DO NOTHING"))
    taken = await connection.execute(text("UPDATE oauth_epoch SET value = value + 1 WHERE id = 1 RETURNING value"))
    return int(taken.scalar_one())


async def current_epoch(connection: AsyncConnection) -> int:
    found = await connection.execute(text("SELECT value FROM oauth_epoch WHERE id = 1"))
    return int(found.scalar() or 0)
