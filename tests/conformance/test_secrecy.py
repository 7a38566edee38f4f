"""No secret and no token leaves a connector but in the request it is for: not in a log, not in a problem, not in a repr."""

import json
import logging
import re
import traceback
from pathlib import Path

import pytest

from kernel.problem import Problem
from kernel.settings import Connection
from system_apis.connector import Connector
from tests.conformance.calls import calls
from tests.conformance.conftest import Connecting, secret_lines_of
from tests.conformance.platform import Platform
from tests.conformance.sandboxed import Sandbox

TOKENS = re.compile(r"Bearer [A-Za-z0-9._!-]{8,}|\"?access_token\"?[=:] ?\"?[A-Za-z0-9._!-]{8,}|assertion=[A-Za-z0-9._-]{8,}")


def seen(caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str], told: list[str]) -> str:
    """Everything that anybody could have read, arguments of log records and tracebacks included."""
    printed = capfd.readouterr()
    records = [f"{one.getMessage()} {one.args!r} {one.exc_text or ''}" for one in caplog.records]
    return "\n".join([*records, caplog.text, printed.out, printed.err, *told])


def told_by(problem: Problem) -> str:
    everything = traceback.format_exception(problem)
    return "\n".join([str(problem), repr(problem), json.dumps(problem.body()), *everything])


def leaked(text: str, secret_lines: list[str]) -> list[str]:
    return [line for line in secret_lines if line in text] + TOKENS.findall(text)


async def test_calls_that_work_and_calls_that_fail_tell_no_secret(
    platform: Platform, connector: Connector, sandbox: Sandbox, secret_lines: list[str],
    caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    caplog.set_level(logging.DEBUG)
    told = [repr(connector), repr(connector.ports)]
    for kind in platform.ports:
        made = await calls(connector.ports[kind], platform.facts(sandbox)[kind])
        for run in made.run.values():
            for fault in (None, "rate_limited", "server_error", "reply_lost", "locked_record", "closed_period"):
                if fault:
                    sandbox.fault(fault)
                try:
                    told.append(repr(await run()))
                except Problem as problem:
                    told.append(told_by(problem))

    assert secret_lines
    assert leaked(seen(caplog, capfd, told), secret_lines) == []


async def test_refused_credentials_are_not_told(
    platform: Platform, sandbox: Sandbox, tmp_path: Path, connecting: Connecting,
    caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    caplog.set_level(logging.DEBUG)
    settings = platform.refused(sandbox, tmp_path)
    lines = secret_lines_of(tmp_path)

    async with connecting(settings=settings) as stranger:
        with pytest.raises(Problem) as refusal:
            await stranger.probe()

    assert lines
    assert leaked(seen(caplog, capfd, [told_by(refusal.value), repr(settings)]), lines) == []


async def test_a_connection_and_its_connector_do_not_show_what_they_hold(
    connection: Connection, connector: Connector, secret_lines: list[str]
) -> None:
    shown = f"{connection!r} {connection.model_dump_json()} {connector!r}"

    assert leaked(shown, secret_lines) == []
