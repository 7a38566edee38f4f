"""`trivium up` keeps its processes alive, refuses what cannot work in words, and leaves nothing behind when told to stop."""

import asyncio
import os
import signal
import socket
from time import monotonic

import httpx
import pytest

from tests.journeys.deployment import plain

pytestmark = pytest.mark.slow


async def is_up(deployment, *arguments):
    """Starts `trivium up` and waits until it says so."""
    process = await deployment.start("up", "up", *arguments)
    await until(lambda: "Trivium is up" in deployment.log("up") or process.returncode is not None)
    assert process.returncode is None, deployment.log("up")
    return process


async def until(holds, within=60):
    ends = monotonic() + within
    while not holds():
        assert monotonic() < ends, "it never came to be"
        await asyncio.sleep(0.05)


def pid_of(deployment, command):
    return next((pid for pid, line in deployment.pids().items() if f" trivium {command}" in line), None)


async def test_a_process_that_dies_is_started_again(deploy):
    deployment = deploy()
    await is_up(deployment)
    died = pid_of(deployment, "serve")
    os.kill(died, signal.SIGKILL)
    await until(lambda: pid_of(deployment, "serve") not in (None, died))
    await deployment.until_answers(f"{deployment.url}/health/ready", deployment.processes["up"], "up")

    assert "ended (-9); starting it again" in deployment.log("up")


async def test_a_layer_that_dies_comes_back_and_the_others_find_it(deploy):
    deployment = deploy()
    await is_up(deployment, "--split")
    died = pid_of(deployment, "serve --part process")
    os.kill(died, signal.SIGKILL)
    await until(lambda: pid_of(deployment, "serve --part process") not in (None, died))
    code, said = None, ""
    for _ in range(10):
        code, said = await deployment.run("journey")
        if code == 0:
            break

    assert code == 0, said


@pytest.mark.parametrize(("name", "arguments"), [("SIGTERM", ()), ("SIGINT", ()), ("SIGTERM", ("--split",))])
async def test_told_to_stop_it_leaves_no_process_behind(deploy, name, arguments):
    deployment = deploy()
    process = await is_up(deployment, *arguments)
    started = len(deployment.pids())
    process.send_signal(getattr(signal, name))
    code = await asyncio.wait_for(process.wait(), 30)

    assert started == (6 if arguments else 3)
    assert code == 0
    assert deployment.pids() == {}
    assert "Traceback" not in deployment.log("up")
    with pytest.raises(httpx.ConnectError):
        async with plain(deployment.url) as client:
            await client.get("/health/live")


@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT"])
async def test_told_to_stop_while_it_starts_it_leaves_no_process_behind(deploy, name):
    deployment = deploy()
    process = await deployment.start("up", "up")
    await until(lambda: pid_of(deployment, "serve") is not None)
    process.send_signal(getattr(signal, name))
    code = await asyncio.wait_for(process.wait(), 30)

    assert code not in (0, None)
    assert deployment.pids() == {}
    assert "Traceback" not in deployment.log("up")


@pytest.mark.parametrize("which", ["gateway", "sandbox"])
async def test_a_port_that_is_taken_is_named(deploy, which):
    deployment = deploy()
    port = deployment.port if which == "gateway" else deployment.vendor_ports[1]
    with socket.create_server(("127.0.0.1", port)):
        code, said = await deployment.run("up")

    assert code == 1
    assert f"port {port} is taken" in said
    assert "--port" in said
    assert "Traceback" not in said
    assert deployment.pids() == {}


async def test_a_single_process_names_the_port_that_is_taken(deploy):
    deployment = deploy()
    await deployment.start_sandbox()
    with socket.create_server(("127.0.0.1", deployment.port)):
        code, said = await deployment.run("serve")

    assert code == 1
    assert str(deployment.port) in said
    assert "Traceback" not in said


@pytest.mark.parametrize("command", ["serve", "up"])
async def test_a_second_engine_on_the_same_sqlite_files_is_refused(deploy, command):
    deployment = deploy()
    await is_up(deployment)
    first = pid_of(deployment, "serve")
    other = deploy({"TRIVIUM_DATA": str(deployment.data)})
    code, said = await other.run(command)

    assert code == 1
    assert f"process {first}" in said
    assert "PostgreSQL" in said
    assert "Traceback" not in said
    assert pid_of(deployment, "serve") == first


async def test_further_workers_without_a_database_to_share_are_refused(deploy):
    deployment = deploy()
    code, said = await deployment.run("up", "--workers", "1")

    assert code == 1
    assert "TRIVIUM_DATABASE_URL" in said
