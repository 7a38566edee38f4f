"""Sessions: one token serves all, a token that the platform has forgotten is replaced without anybody noticing."""

import asyncio
import re
from pathlib import Path

from contracts.ports.effects import Reads, effects
from kernel.settings import Connection
from system_apis.connector import Connector
from tests.conformance.calls import calls
from tests.conformance.platform import Platform
from tests.conformance.sandboxed import Sandbox

SESSIONS = True  # only vendors whose credentials buy a token


def token_requests(platform: Platform, sandbox: Sandbox) -> int:
    return sum(re.search(platform.token_path or "(?!)", one["path"]) is not None for one in sandbox.requests())


async def test_many_first_calls_at_once_fetch_one_token(platform: Platform, connector: Connector, sandbox: Sandbox) -> None:
    await asyncio.gather(*(connector.probe() for _ in range(20)))

    assert token_requests(platform, sandbox) == 1


async def test_a_forgotten_session_is_renewed_in_the_middle_of_many_calls(
    platform: Platform, connector: Connector, sandbox: Sandbox, connection: Connection, tmp_path: Path
) -> None:
    await connector.probe()
    sandbox.reset()
    platform.settings(sandbox, tmp_path)  # registers the keys that the reset has forgotten

    await asyncio.gather(*(connector.probe() for _ in range(20)))

    assert any(one["status"] == 401 for one in sandbox.requests())
    assert token_requests(platform, sandbox) == 1


async def test_every_reading_method_survives_the_loss_of_its_session(
    platform: Platform, connector: Connector, sandbox: Sandbox, connection: Connection, tmp_path: Path
) -> None:
    for kind in platform.ports:
        port, facts = connector.ports[kind], platform.facts(sandbox)[kind]
        sandbox.reset()
        platform.settings(sandbox, tmp_path)
        made = await calls(port, facts)

        for name, effect in effects(kind).items():
            if isinstance(effect, Reads):
                await made.run[name]()

        assert token_requests(platform, sandbox) == 1
