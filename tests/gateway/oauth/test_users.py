"""Who signs in is who knows the password; whoever is closed has nothing left, and nobody learns who exists."""

import asyncio

import pytest
from sqlalchemy import select

from gateway.oauth.passwords import WAITING, BadPassword, PasswordChecker, checked, digest
from gateway.oauth.tables import users
from gateway.oauth.users import BadUser, UserStore
from kernel.problem import Shedding
from tests.gateway.oauth.portal import PASSWORD


class Counting(PasswordChecker):
    """Notes whether each check was somebody's."""

    def __init__(self) -> None:
        super().__init__()
        self.somebody: list[bool] = []

    async def check(self, password: str, salt: bytes | None, stored: bytes | None) -> bool:
        self.somebody.append(salt is not None)
        return await super().check(password, salt, stored)


async def test_the_right_password_proves_its_user_and_no_other(server) -> None:
    made = await server.users.add("Ann", PASSWORD, ["quotes:read"])

    assert (await server.users.prove("ann", PASSWORD)).id == made.id
    assert await server.users.prove("ann", PASSWORD + " ") is None
    assert await server.users.prove("bob", PASSWORD) is None


async def test_a_password_is_checked_at_full_cost_whoever_is_named(database, clock) -> None:
    checker = Counting()
    store = UserStore(database, clock, checker)
    await store.add("ann", PASSWORD, ["quotes:read"])
    await store.add("bob", PASSWORD, ["quotes:read"])
    await store.close("bob")
    for name in ("ann", "bob", "nobody", ""):
        await store.prove(name, "a wrong password")

    assert checker.somebody == [True, False, False, False]


async def test_the_password_rests_as_a_salted_hash(server, database) -> None:
    for name in ("ann", "bob"):
        await server.users.add(name, PASSWORD, ["quotes:read"])
    async with database.reading() as connection:
        rows = (await connection.execute(select(users))).all()

    assert len({bytes(row.digest) for row in rows}) == 2
    assert all(len(bytes(row.salt)) == 16 and PASSWORD.encode() not in bytes(row.digest) for row in rows)


async def test_another_password_ends_the_old_one(server) -> None:
    await server.users.add("ann", PASSWORD, ["quotes:read"])
    await server.users.set_password("ANN", "another fine password")

    assert await server.users.prove("ann", PASSWORD) is None
    assert await server.users.prove("ann", "another fine password") is not None


async def test_a_closed_user_can_be_opened_again(server) -> None:
    made = await server.users.add("ann", PASSWORD, ["quotes:read"])
    await server.users.close("ann")
    closed = await server.users.find(made.id)
    await server.users.reopen("ann")

    assert closed is None
    assert await server.users.prove("ann", PASSWORD) is not None


@pytest.mark.parametrize("name", ["", " ", "two words", "a\x00b", "new\nline"])
@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
async def test_a_name_has_no_spaces(server, name) -> None:
    with pytest.raises(BadUser, match="name without spaces"):
        await server.users.add(name, PASSWORD, ["quotes:read"])


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
async def test_a_name_is_taken_once_however_it_is_spelled(server) -> None:
    await server.users.add("ann", PASSWORD, ["quotes:read"])

    with pytest.raises(BadUser, match="already"):
        await server.users.add("ANN", PASSWORD, ["quotes:read"])
    for act in (server.users.close, server.users.reopen):
        with pytest.raises(BadUser, match="no user bob"):
            await act("bob")


@pytest.mark.parametrize("password", ["short", "x" * 11, "x" * 129])
def test_a_password_has_a_length_and_no_other_rule(password) -> None:
    with pytest.raises(BadPassword, match="12 to 128"):
        checked(password)

    assert checked("aaaaaaaaaaaa")


def test_one_password_typed_on_two_keyboards_is_one() -> None:
    assert digest("passwo\u0308rter sind", b"salt") == digest("passw\u00f6rter sind", b"salt")


async def test_who_comes_when_too_many_wait_is_told_to_come_again() -> None:
    checker = PasswordChecker()
    crowd = [asyncio.create_task(checker.check("a password", None, None)) for _ in range(WAITING)]
    await asyncio.sleep(0)  # each takes its place

    with pytest.raises(Shedding):
        await checker.check("a password", None, None)
    for task in crowd[4:]:
        task.cancel()
    await asyncio.wait(crowd)
