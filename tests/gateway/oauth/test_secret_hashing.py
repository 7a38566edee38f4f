"""Checking a secret costs one scrypt at most, and nothing when it was right a moment ago."""

import asyncio

import pytest

from gateway.oauth import secret_hashing
from gateway.oauth.secret_hashing import SecretChecker, new_secret, scrypt
from kernel.problem import Shedding

SALT = b"s" * 16


class CountedChecker(SecretChecker):
    """Counts what it hashes, and waits at the gate when there is one."""

    def __init__(self, clock, gate: asyncio.Event | None = None) -> None:
        super().__init__(clock)
        self.hashed, self.gate = 0, gate

    async def hash(self, secret: str, salt: bytes) -> bytes:
        self.hashed += 1
        if self.gate:
            await self.gate.wait()
        return await super().hash(secret, salt)


async def test_a_right_secret_is_hashed_once_and_then_remembered_for_a_while(clock) -> None:
    checker, secret = CountedChecker(clock), new_secret()
    digests = {scrypt(secret, SALT)}
    answers = [await checker.check("c", secret, SALT, digests) for _ in range(5)]
    hashed_before = checker.hashed
    clock.pass_seconds(301)
    late = await checker.check("c", secret, SALT, digests)

    assert answers == [True] * 5
    assert hashed_before == 1
    assert (late, checker.hashed) == (True, 2)


async def test_what_is_remembered_counts_for_this_client_and_these_digests_only(clock) -> None:
    checker, secret = CountedChecker(clock), new_secret()
    await checker.check("c", secret, SALT, {scrypt(secret, SALT)})

    assert not await checker.check("c", secret, SALT, {scrypt(new_secret(), SALT)})
    assert not await checker.check("d", secret, SALT, {scrypt(new_secret(), SALT)})
    assert not checker.knows("d", secret)


async def test_an_unknown_client_costs_as_much_as_a_wrong_secret(clock) -> None:
    checker = CountedChecker(clock)
    unknown = await checker.check("nobody", new_secret(), None, set())
    wrong = await checker.check("c", new_secret(), SALT, {scrypt(new_secret(), SALT), scrypt(new_secret(), SALT)})

    assert (unknown, wrong, checker.hashed) == (False, False, 2)


@pytest.mark.parametrize(
    "secret", ["", "password", "tvs_", "tvs_" + "a" * 42, "tvs_" + "a" * 44, "tvs_" + "\u00e4" * 43, "a" * 10_000]
)
async def test_what_we_never_gave_out_is_not_hashed_at_all(clock, secret) -> None:
    checker = CountedChecker(clock)

    assert not await checker.check("c", secret, SALT, {b"x"})
    assert checker.hashed == 0


async def test_two_are_hashed_at_once_some_wait_and_the_rest_is_sent_away(clock) -> None:
    gate = asyncio.Event()
    checker = CountedChecker(clock, gate)
    checks = [asyncio.create_task(checker.check("c", new_secret(), SALT, {b"x"})) for _ in range(secret_hashing.AT_ONCE + 100)]
    await asyncio.wait(checks, return_when=asyncio.FIRST_COMPLETED)
    under_way = checker.hashed
    refused = [check for check in checks if check.done()]
    gate.set()
    answers = await asyncio.gather(*checks, return_exceptions=True)

    assert under_way == secret_hashing.AT_ONCE == 2
    assert len(refused) == len(checks) - secret_hashing.WAITING
    assert sum(isinstance(answer, Shedding) for answer in answers) == len(refused)


async def test_many_requests_with_one_new_secret_hash_it_only_as_often_as_run_at_once(clock) -> None:
    checker, secret = CountedChecker(clock), new_secret()
    digests = {scrypt(secret, SALT)}
    answers = await asyncio.gather(*(checker.check("c", secret, SALT, digests) for _ in range(40)))

    assert answers == [True] * 40
    assert checker.hashed <= secret_hashing.AT_ONCE
