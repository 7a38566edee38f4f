"""What several processes share: a PostgreSQL database of the test's own, and a Redis database that is left empty."""

import os
from contextlib import contextmanager
from uuid import uuid4

import psycopg
import pytest
import redis

POSTGRES = os.environ.get("TRIVIUM_TEST_POSTGRES", "postgresql://postgres@127.0.0.1:5432/postgres")
REDIS = os.environ.get("TRIVIUM_TEST_REDIS", "redis://127.0.0.1:6379/9")


@contextmanager
def fresh_postgres():
    """The URL of a database that is dropped at the end. Without a server the test is skipped, unless CI=true."""
    name = f"trivium_test_{uuid4().hex[:12]}"
    try:
        with psycopg.connect(POSTGRES, autocommit=True, connect_timeout=3) as server:
            server.execute(f'create database "{name}"')
    except psycopg.OperationalError as error:
        _absent(f"no PostgreSQL at {POSTGRES}: {error}")
    try:
        yield POSTGRES.rpartition("/")[0] + f"/{name}"
    finally:
        with psycopg.connect(POSTGRES, autocommit=True) as server:
            server.execute(f'drop database if exists "{name}" with (force)')


@contextmanager
def empty_redis():
    """The URL of a Redis database that is flushed before and after. Without a server the test is skipped, unless CI=true."""
    with redis.Redis.from_url(REDIS, socket_connect_timeout=3) as server:
        try:
            server.flushdb()
        except redis.ConnectionError as error:
            _absent(f"no Redis at {REDIS}: {error}")
        try:
            yield REDIS
        finally:
            server.flushdb()


def _absent(why):
    if os.environ.get("CI") == "true":
        pytest.fail(why)
    pytest.skip(why)
