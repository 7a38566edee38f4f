"""Tables are made when they are missing, and grow when the program knows more columns than the file."""

import sqlite3

from sqlalchemy import BigInteger, Column, String, Table, select

from kernel.db import Database, metadata

grown = Table(
    "test_grown",
    metadata,
    Column("id", String(8), primary_key=True),
    Column("note", String(8)),
    Column("seen", BigInteger, nullable=False, server_default="7"),
)


async def test_a_table_of_yesterday_gains_the_columns_of_today_and_keeps_its_rows(tmp_path):
    with sqlite3.connect(tmp_path / "old.sqlite") as old:
        old.execute("create table test_grown (id varchar(8) primary key)")
        old.execute("insert into test_grown values ('a')")
    database = Database(f"sqlite:///{tmp_path / 'old.sqlite'}")

    await database.create_all()
    await database.create_all()

    async with database.reading() as connection:
        row = (await connection.execute(select(grown))).one()
    await database.close()
    assert tuple(row) == ("a", None, 7)
