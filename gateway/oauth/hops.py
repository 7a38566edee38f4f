"""Between our own processes each call shows a token made for it: the outer caller's name and accounts, this operation's scopes.

It is what an exchange (RFC 8693) would have made of the outer caller's token: `act` names the process that calls, the audience is
the inner doors' alone, and it lives for a minute. A caller who is known only as the one who started durable work is not there any
more: that work goes on as our own, within the accounts of whoever started it.
"""

from collections import OrderedDict
from collections.abc import Collection
from dataclasses import replace
from typing import NamedTuple

from gateway.oauth.access_token import AccessTokens, Bearer, Names
from gateway.oauth.exchange import actor
from gateway.oauth.trust import Trust
from gateway.pipeline import Caller
from kernel.clock import Clock
from kernel.context import Principal, Someone

INTERNAL = "trivium-internal"  # our own processes, when they act as themselves
NO_SCOPE = "internal:call"  # for an operation that asks for none: a token without any is nobody's
LIFETIME = 60  # seconds
_RENEWED_AFTER = 30.0
_REMEMBERED = 4096


class _Whom(NamedTuple):
    client: str
    subject: str
    plan: str
    accounts: frozenset[str] | None
    partner: str
    since: int = 0  # when the outer token was issued: what was made for one that is dead by now is not used for its successor


class Hops:
    """The tokens of one process for its calls of others; `process` is its name."""

    def __init__(
        self, names: Names, tokens: AccessTokens, trust: Trust, clock: Clock, process: str, remember: int = _REMEMBERED
    ) -> None:
        self._audiences, self._tokens, self._trust, self._clock = names.inner.audiences, tokens, trust, clock
        self._process, self._capacity = process, remember
        self._made: OrderedDict[tuple[_Whom, frozenset[str]], tuple[str, float]] = OrderedDict()

    async def token(self, principal: Principal, scopes: Collection[str]) -> str:
        """A token for this principal and no more than these scopes, made anew well before the last one ends.

        Raises Unavailable when the signing keys cannot be known.
        """
        now, key = self._clock.monotonic(), (_whom(principal), frozenset(scopes))
        found = self._made.get(key)
        if found is not None and now < found[1]:
            self._made.move_to_end(key)
            return found[0]
        if self._trust.stale(now):
            await self._trust.current()
        token = self._make(*key)
        self._made[key] = (token, now + _RENEWED_AFTER)
        self._made.move_to_end(key)
        while len(self._made) > self._capacity:
            self._made.popitem(last=False)
        return token

    def _make(self, whom: _Whom, scopes: frozenset[str]) -> str:
        bearer = Bearer(
            subject=whom.subject, plan=whom.plan, accounts=whom.accounts, partner=whom.partner or None,
            actor=actor(self._process), audiences=self._audiences, lifetime=LIFETIME,
        )  # fmt: skip
        return self._tokens.sign(whom.client, sorted(scopes) or [NO_SCOPE], bearer)


def unrestricted(principal: Principal) -> Principal:
    """The same one, where what it may see was settled before."""
    if isinstance(principal, Caller):
        return replace(principal, accounts=None, partner="")
    return Someone(principal.client)


def _whom(principal: Principal) -> _Whom:
    if isinstance(principal, Caller):
        since = principal.issued_at
        return _Whom(principal.client, principal.subject, principal.plan, principal.accounts, principal.partner, since)
    return _Whom(INTERNAL, principal.client or INTERNAL, "default", principal.accounts, "")
