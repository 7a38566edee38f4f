"""Expectations of consumers, verified: each is asked of the running thing, and its answer held against what is expected."""

import asyncio
import socket
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import httpx
import jsonschema_rs

from gateway.compose import Part, application
from gateway.opening import open_house
from governance.consumers.expectations import Expectation
from governance.consumers.promised import KEY, beyond, fault, operation_of
from governance.contract import Contract, Operation
from governance.reports.entry import Entry
from kernel.settings import Settings
from sandbox.server import server
from trivium import demo

CLIENT = "contract-verification"
PATIENCE = 30.0  # seconds for one answer
MOST = 5  # misfits told of one answer


async def verify(
    expectations: Iterable[Expectation], contracts: Mapping[str, Contract], client: httpx.AsyncClient, given: Mapping[str, str]
) -> list[Entry]:
    """What is not as expected. What goes beyond its contract is not even asked. Raises Unresolved."""
    found: list[Entry] = []
    for one in expectations:
        wrong = beyond(one, contracts)
        operation = operation_of(one, contracts)
        if operation is not None and not any(entry.level == "error" for entry in wrong):
            wrong = [*wrong, *await _asked(one, operation, client, given)]
        found += wrong
    return found


def scopes_of(expectations: Iterable[Expectation], contracts: Mapping[str, Contract]) -> list[str]:
    """Every scope that asking takes."""
    operations = (operation_of(one, contracts) for one in expectations)
    return sorted({scope for operation in operations if operation is not None for scope in operation.scopes})


async def _asked(
    expectation: Expectation, operation: Operation, client: httpx.AsyncClient, given: Mapping[str, str]
) -> Sequence[Entry]:
    path = operation.path
    for name, value in expectation.asked("path", given).items():
        path = path.replace(f"{{{name}}}", quote(str(value), safe=""))
    headers = {name: str(value) for name, value in expectation.asked("headers", given).items()}
    if operation.extension("idempotency") == "required":
        headers = {KEY: f"verification-{uuid4()}", **headers}
    body = expectation.asked("body", given)
    try:
        answer = await client.request(
            operation.method.upper(), path, params=expectation.asked("query", given), headers=headers, json=body
        )
    except httpx.HTTPError as error:
        return [fault(expectation, "expectation-unanswered", f"{operation.name} was not answered ({type(error).__name__})")]
    return [fault(expectation, "expectation-unmet", what) for what in _misfits(expectation, answer)]


def _misfits(expectation: Expectation, answer: httpx.Response) -> list[str]:
    if answer.status_code != expectation.status:
        return [f"{expectation.status} was expected, {answer.status_code} came{_why(answer)}"]
    if expectation.fields is None:
        return []
    try:
        value = answer.json()
    except ValueError:
        return ["JSON was expected, and something else came"]
    errors = jsonschema_rs.Draft202012Validator(dict(expectation.fields)).iter_errors(value)
    return [_told(error) for error, _ in zip(errors, range(MOST), strict=False)]


def _told(error: jsonschema_rs.ValidationError) -> str:
    """Where and what was expected, and never what came: it may be somebody's data."""
    place = "/".join(("", *map(str, error.instance_path))) or "the body"
    if error.schema_path and error.schema_path[-1] == "required":
        return f"{place}: {error.message.rpartition(' is ')[0]} is missing"
    return f"{place}: it is of another type than expected"


def _why(answer: httpx.Response) -> str:
    try:
        said: Any = answer.json()
    except ValueError:
        return ""
    return f": {said['detail']}" if isinstance(said, dict) and isinstance(said.get("detail"), str) else ""


@asynccontextmanager
async def over_http(url: str, token: str) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=url, headers=_with(token), timeout=PATIENCE) as client:
        yield client


@asynccontextmanager
async def in_process(settings: Settings, scopes: Sequence[str]) -> AsyncIterator[httpx.AsyncClient]:
    """The whole of Trivium in this process, with the sandbox where the settings have one that nobody serves."""
    async with AsyncExitStack() as closing:
        if settings.sandbox.ports:
            demo.prepare(settings)
            await closing.enter_async_context(_sandbox(settings))
        async with open_house(settings, "trivium-verification") as house:
            token = house.oauth.tokens.issue(CLIENT, list(scopes))
        app = await closing.enter_async_context(application(settings, Part.ALL))
        transport = httpx.ASGITransport(app)
        client = httpx.AsyncClient(transport=transport, base_url=settings.server.url, headers=_with(token), timeout=PATIENCE)
        yield await closing.enter_async_context(client)


@asynccontextmanager
async def _sandbox(settings: Settings) -> AsyncIterator[None]:
    wanted = {vendor: port for vendor, port in settings.sandbox.ports.items() if not _is_served(port)}
    servers = [server(vendor, port, demo.certificates_of(settings)) for vendor, port in wanted.items()]
    async with asyncio.TaskGroup() as serving:
        for one in servers:
            serving.create_task(one.serve())
        try:
            async with asyncio.timeout(PATIENCE):
                while not all(one.started for one in servers):  # noqa: ASYNC110 - a server tells nobody that it has started
                    await asyncio.sleep(0.01)
            yield
        finally:
            for one in servers:
                one.should_exit = True


def _is_served(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _with(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}
