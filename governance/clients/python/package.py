"""A Python package of chosen APIs: installable, typed, and byte for byte the same for the same contracts."""

import json
from collections.abc import Mapping, Sequence
from importlib import resources
from pathlib import Path
from textwrap import dedent

from governance.clients.endpoints import Surface, surface
from governance.clients.failure import NoClient
from governance.clients.folder import written
from governance.clients.names import snake
from governance.clients.python import runtime
from governance.clients.python.methods import operations
from governance.clients.python.models import models
from governance.clients.titles import newest, titles
from governance.contract import Contract


def package(contracts: Sequence[Contract], out: Path, name: str) -> list[Path]:
    """Writes the package `name` into `out`; answers its files. Raises NoClient."""
    if snake(name) != name:
        raise NoClient(f"{name!r} cannot be imported: use lower-case letters, digits and underscores, e.g. acme_client")
    surfaces = titles([surface(contract) for contract in contracts])
    files = {"pyproject.toml": _project(name, surfaces), "README.md": _readme(name, surfaces)}
    files |= {f"{name}/__init__.py": _root(surfaces), f"{name}/client.py": _client(name, surfaces), f"{name}/py.typed": ""}
    for file in sorted(resources.files(runtime).iterdir(), key=lambda file: file.name):
        if file.name.endswith(".py"):
            files[f"{name}/runtime/{file.name}"] = file.read_text(encoding="utf-8")
    for title, one in surfaces.items():
        files |= {f"{name}/{title}/{module}": text for module, text in _api(one).items()}
    return written(out, files)


def _api(one: Surface) -> dict[str, str]:
    methods = operations(one)
    document = one.schemas.document()
    wanted = document["components"]["schemas"].keys()
    said = f'"""{one.contract.api} {one.contract.version}. Generated from the contract; changes here are lost."""\n'.replace(
        "\\", ""
    )
    made = {"__init__.py": f'{said}\nfrom .operations import Operations\n\n__all__ = ["Operations"]\n', "operations.py": methods}
    return {**made, "models.py": models(document, wanted)} if wanted else made


def _root(surfaces: Mapping[str, Surface]) -> str:
    problems = (
        "BadAnswer, BadGateway, BadRequest, ClientError, Conflict, Failed, Forbidden, Gone, Invalid, NotFound, "
        "PreconditionFailed, PreconditionRequired, Problem, TimedOut, TokenRefused, TooManyRequests, Unauthorized, "
        "Unavailable, Unreachable"
    )
    names = [*problems.split(", "), "Client", "ClientCredentials", "Fixed", "Retries", "TokenSource"]
    exported = "".join(f'    "{name}",\n' for name in sorted(names))
    apis = ", ".join(f"{one.contract.api} {one.contract.version}" for one in surfaces.values())
    return (
        f'"""A typed client of {apis}. Generated from the contracts; changes here are lost."""\n\n'
        "from .client import Client\n"
        f"from .runtime.problems import (\n{''.join(f'    {name},{chr(10)}' for name in problems.split(', '))})\n"
        "from .runtime.tokens import ClientCredentials, Fixed, TokenSource\n"
        "from .runtime.waiting import Retries\n\n"
        f"__all__ = [\n{exported}]\n"
    )


def _client(name: str, surfaces: Mapping[str, Surface]) -> str:
    imports = "".join(f"from .{title} import Operations as {title.title().replace('_', '')}\n" for title in surfaces)
    made = "".join(f"        self.{title} = {title.title().replace('_', '')}(self._session)\n" for title in surfaces)
    token_url = next((one.token_url for one in surfaces.values() if one.token_url), "/oauth/token")
    return (
        _CLIENT.replace("@IMPORTS@", imports).replace("@APIS@", made).replace("@TOKEN_URL@", json.dumps(token_url))
        .replace("@AGENT@", json.dumps(f"{name}/{newest(surfaces)}"))
    )  # fmt: skip


def _project(name: str, surfaces: Mapping[str, Surface]) -> str:
    return dedent(f"""\
        [build-system]
        requires = ["setuptools>=80"]
        build-backend = "setuptools.build_meta"

        [project]
        name = "{name.replace("_", "-")}"
        version = "{newest(surfaces)}"
        description = "Typed client, generated from its contracts"
        readme = "README.md"
        requires-python = ">=3.11"
        dependencies = ["httpx>=0.28,<1", "pydantic>=2.11,<3"]

        [tool.setuptools.packages.find]
        include = ["{name}*"]

        [tool.setuptools.package-data]
        "*" = ["py.typed"]
        """)


def _readme(name: str, surfaces: Mapping[str, Surface]) -> str:
    listed = "\n".join(f"- `client.{title}`: {one.contract.api} {one.contract.version}" for title, one in surfaces.items())
    first, one = next(iter(surfaces.items()))
    return _README.replace("@NAME@", name).replace("@APIS@", listed).replace("@FIRST@", f"{first}.{one.endpoints[0].id}")


_CLIENT = '''"""The client: one connection, one token, one object an API. Generated from the contracts; changes here are lost."""

from collections.abc import Sequence
from types import TracebackType
from typing import Self

import httpx

@IMPORTS@from .runtime.session import Session
from .runtime.tokens import ClientCredentials, Fixed, TokenSource
from .runtime.waiting import Retries

TOKEN_URL = @TOKEN_URL@
USER_AGENT = @AGENT@


class Client:
    """Calls the APIs below `base_url`; use it as `async with`, or call `close`.

    `token`: where tokens come from, or a token as it is. `timeout`: seconds for one attempt. `http`: a client of httpx that is
    set up by whoever hands it over (proxies, certificates), who closes it too.
    """

    def __init__(
        self,
        base_url: str,
        token: TokenSource | str | None = None,
        *,
        retries: Retries | None = None,
        timeout: float = 30.0,
        http: httpx.AsyncClient | None = None,
    ) -> None:
        self._own = http is None
        self._http = http or httpx.AsyncClient(base_url=base_url, timeout=timeout, headers={"User-Agent": USER_AGENT})
        tokens = Fixed(token) if isinstance(token, str) else token
        self._session = Session(self._http, tokens, retries or Retries())
@APIS@
    @classmethod
    def with_credentials(
        cls,
        base_url: str,
        client_id: str,
        secret: str,
        scopes: Sequence[str] = (),
        *,
        token_url: str = TOKEN_URL,
        retries: Retries | None = None,
        timeout: float = 30.0,
        http: httpx.AsyncClient | None = None,
    ) -> Self:
        """A client that takes its own tokens, by client credentials."""
        source = ClientCredentials(token_url, client_id, secret, scopes)
        return cls(base_url, source, retries=retries, timeout=timeout, http=http)

    async def close(self) -> None:
        if self._own:
            await self._http.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()
'''
_README = """# @NAME@

A typed client, generated from the contracts of these APIs:

@APIS@

```python
from @NAME@ import Client, Problem

async with Client.with_credentials("https://gateway.example", client_id, secret) as client:
    try:
        answer = await client.@FIRST@(...)
    except Problem as problem:
        print(problem.status, problem.detail, problem.fix, problem.correlation_id)
```

- A create is sent under an `Idempotency-Key` of its own, which is kept while the call is repeated; hand over `idempotency_key`
  where your own process may start again in between.
- 408, 429, 503 and 504 are repeated, never sooner than `Retry-After` says, with jitter, within the bounds of `Retries`; what is
  neither safe nor keyed is repeated after 429 only.
- `each_of_...` goes through all pages of a list.
- Refusals are raised as `Problem`, by status (`NotFound`, `Invalid`, ...); no answer as `Unreachable`.
- Every call has a correlation id: the problem names it, and `correlation_id` sets it.
"""
