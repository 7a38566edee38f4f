"""A TypeScript package of chosen APIs: without dependencies, typed, and byte for byte the same for the same contracts."""

import json
import re
from collections.abc import Mapping, Sequence
from importlib import resources
from pathlib import Path

from governance.clients import typescript
from governance.clients.endpoints import Surface, surface
from governance.clients.failure import NoClient
from governance.clients.folder import written
from governance.clients.names import camel
from governance.clients.titles import newest, titles
from governance.clients.typescript.methods import methods
from governance.clients.typescript.types import types
from governance.contract import Contract

_NAME = re.compile(r"(@[a-z0-9][a-z0-9._-]*/)?[a-z0-9][a-z0-9._-]{0,100}", re.ASCII)


def package(contracts: Sequence[Contract], out: Path, name: str) -> list[Path]:
    """Writes the package `name` into `out`; answers its files. Raises NoClient."""
    if not _NAME.fullmatch(name):
        raise NoClient(f"{name!r} is no name of an npm package: use lower-case letters, digits and hyphens")
    surfaces = titles([surface(contract) for contract in contracts])
    files = {"package.json": _project(name, surfaces), "tsconfig.json": _CONFIG, "README.md": _readme(name, surfaces)}
    for file in sorted((resources.files(typescript) / "runtime").iterdir(), key=lambda file: file.name):
        if file.name.endswith(".ts"):
            files[f"src/runtime/{file.name}"] = file.read_text(encoding="utf-8")
    for title, one in surfaces.items():
        files |= {f"src/{title}.ts": methods(one, title), f"src/{title}.types.ts": types(one)}
    files["src/index.ts"] = _index(surfaces)
    return written(out, files)


def _project(name: str, surfaces: Mapping[str, Surface]) -> str:
    said = {
        "name": name, "version": newest(surfaces), "description": "Typed client, generated from its contracts", "type": "module",
        "exports": {".": {"types": "./dist/index.d.ts", "default": "./dist/index.js"}}, "files": ["dist", "src"],
        "engines": {"node": ">=20.3"}, "scripts": {"build": "tsc", "check": "tsc --noEmit"},
        "devDependencies": {"typescript": "^5.9.3"},
    }  # fmt: skip
    return json.dumps(said, indent=2) + "\n"


def _index(surfaces: Mapping[str, Surface]) -> str:
    named = {title: (camel(title), camel(title)[0].upper() + camel(title)[1:]) for title in surfaces}
    imports = "".join(f'import {{ Operations as {kind} }} from "./{title}.js";\n' for title, (_, kind) in named.items())
    types = "".join(f'export type * as {member}Types from "./{title}.types.js";\n' for title, (member, _) in named.items())
    fields = "".join(f"  readonly {member}: {kind};\n" for member, kind in named.values())
    made = "".join(f"    this.{member} = new {kind}(session);\n" for member, kind in named.values())
    token_url = next((one.token_url for one in surfaces.values() if one.token_url), "/oauth/token")
    return (
        _INDEX.replace("@IMPORTS@", imports).replace("@TYPES@", types).replace("@FIELDS@", fields).replace("@MADE@", made)
        .replace("@TOKEN_URL@", json.dumps(token_url))
    )  # fmt: skip


def _readme(name: str, surfaces: Mapping[str, Surface]) -> str:
    listed = "\n".join(f"- `client.{camel(title)}`: {one.contract.api} {one.contract.version}" for title, one in surfaces.items())
    title, one = next(iter(surfaces.items()))
    call = f"{camel(title)}.{camel(one.endpoints[0].id)}"
    return _README.replace("@NAME@", name).replace("@APIS@", listed).replace("@CALL@", call)


_CONFIG = """\
{
  "compilerOptions": {
    "target": "ES2022",
    "module": "NodeNext",
    "moduleResolution": "NodeNext",
    "lib": ["ES2022", "DOM", "DOM.Iterable"],
    "types": [],
    "strict": true,
    "noUncheckedIndexedAccess": true,
    "exactOptionalPropertyTypes": true,
    "noImplicitOverride": true,
    "declaration": true,
    "rootDir": "src",
    "outDir": "dist"
  },
  "include": ["src"]
}
"""
_INDEX = """\
/** The client: one connection, one token, one object an API. Generated from the contracts; changes here are lost. */

@IMPORTS@import { Session } from "./runtime/session.js";
import { ClientCredentials, Fixed, type TokenSource } from "./runtime/tokens.js";
import { RETRIES, type Retries } from "./runtime/waiting.js";

export * from "./runtime/problems.js";
export { ClientCredentials, Fixed, type TokenSource } from "./runtime/tokens.js";
export { RETRIES, type Retries } from "./runtime/waiting.js";
@TYPES@
export const TOKEN_URL = @TOKEN_URL@;

/** `token`: where tokens come from, or a token as it is. `timeout`: seconds for one attempt. `fetch`: in place of the usual. */
export interface Options {
  baseUrl: string;
  token?: TokenSource | string;
  retries?: Partial<Retries>;
  timeout?: number;
  fetch?: typeof fetch;
}

export class Client {
@FIELDS@
  constructor(options: Options) {
    const { baseUrl, token, retries, timeout, fetch: send } = options;
    const session = new Session({
      baseUrl,
      tokens: typeof token === "string" ? new Fixed(token) : token,
      retries: { ...RETRIES, ...retries },
      timeout: timeout ?? 30,
      send: send ?? globalThis.fetch,
    });
@MADE@  }

  /** A client that takes its own tokens, by client credentials. */
  static withCredentials(
    options: Omit<Options, "token"> & { clientId: string; secret: string; scopes?: readonly string[]; tokenUrl?: string },
  ): Client {
    const { clientId, secret, scopes, tokenUrl, ...rest } = options;
    return new Client({ ...rest, token: new ClientCredentials(tokenUrl ?? TOKEN_URL, clientId, secret, scopes) });
  }
}
"""
_README = """\
# @NAME@

A typed client without dependencies, generated from the contracts of these APIs:

@APIS@

```ts
import { Client, Problem } from "@NAME@";

const client = Client.withCredentials({ baseUrl: "https://gateway.example", clientId, secret });
try {
  const answer = await client.@CALL@({ /* path, query, body */ });
} catch (error) {
  if (error instanceof Problem) console.error(error.status, error.detail, error.fix, error.correlationId);
}
```

- A create is sent under an `Idempotency-Key` of its own, which is kept while the call is repeated; hand over `idempotencyKey`
  where your own process may start again in between.
- 408, 429, 503 and 504 are repeated, never sooner than `Retry-After` says, with jitter, within the bounds of `Retries`; what is
  neither safe nor keyed is repeated after 429 only.
- `eachOf...` goes through all pages of a list.
- Refusals are thrown as `Problem`, no answer as `Unreachable`.
- Every call has a correlation id: the problem names it, and `correlationId` sets it.
"""
