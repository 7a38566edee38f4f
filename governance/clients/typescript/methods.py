"""The methods of a TypeScript client: one for each operation, a second one that goes through all pages of a list."""

import json
from collections.abc import Iterator

from governance.clients.endpoints import Endpoint, Surface
from governance.clients.names import camel, unique
from governance.clients.schemas import plain


def methods(surface: Surface, title: str) -> str:
    """The module of one API; its types are in `./<title>.types.js`."""
    taken: set[str] = {"constructor", "session"}
    written = "".join(_methods(endpoint, taken) for endpoint in surface.endpoints)
    shapes = [name for name in ("Answer", "Given", "Item") if f"{name}<" in written]
    return (
        f"/** {_quiet(surface.contract.api)} {_quiet(surface.contract.version)}. Generated from the contract; changes here are "
        "lost. */\n\n"
        'import type { Session } from "./runtime/session.js";\n'
        f'import type {{ {", ".join(shapes)} }} from "./runtime/shapes.js";\n'
        f'import type {{ operations }} from "./{title}.types.js";\n\n'
        f"export class Operations {{\n  constructor(private readonly session: Session) {{}}\n{written}}}\n"
    )


def _methods(endpoint: Endpoint, taken: set[str]) -> str:
    name, operation = unique(camel(endpoint.id), taken), f'operations["{endpoint.id}"]'
    taken.add(name)
    answer = "ArrayBuffer" if "" in endpoint.answers else f"Answer<{operation}>"
    given = f"given: Given<{operation}>{'' if _needed(endpoint) else ' = {}'}"
    called = _endpoint(endpoint)
    written = (
        f"\n{_comment(endpoint)}  {name}({given}): Promise<{answer}> {{\n    return this.session.call({called}, given);\n  }}\n"
    )
    if endpoint.items is None:
        return written
    each = unique(f"eachOf{name[0].upper()}{name[1:]}", taken)
    taken.add(each)
    member = json.dumps(endpoint.items[0])
    return (
        f"{written}\n{_comment(endpoint, 'All of them, page by page. ')}"
        f"  async *{each}({given}): AsyncGenerator<Item<{answer}, {member}>, void, undefined> {{\n"
        f"    for await (const page of this.session.pages<{answer}>({called}, given)) {{\n"
        f"      yield* page[{member}] ?? [];\n    }}\n  }}\n"
    )


def _needed(endpoint: Endpoint) -> bool:
    """Whether there is anything that must be handed over."""
    body = endpoint.body is not None and endpoint.body.required
    return body or any(said.required for said in endpoint.parameters)


def _endpoint(endpoint: Endpoint) -> str:
    return "{ " + ", ".join(f"{name}: {value}" for name, value in _facts(endpoint)) + " }"


def _facts(endpoint: Endpoint) -> Iterator[tuple[str, str]]:
    yield "method", json.dumps(endpoint.operation.method.upper())
    yield "path", json.dumps(endpoint.operation.path)
    if endpoint.keyed:
        yield "keyed", "true"
    if "" in endpoint.answers:
        yield "raw", "true"
    if endpoint.body is not None and endpoint.body.media != "application/json":
        yield "media", json.dumps(endpoint.body.media)
    joined = [
        said.name for said in endpoint.parameters
        if said.place == "query" and said.joined and plain(said.schema).get("type") == "array"
    ]  # fmt: skip
    if joined:
        yield "joined", json.dumps(joined)


def _comment(endpoint: Endpoint, before: str = "") -> str:
    scopes = sorted(endpoint.operation.scopes)
    lines = [*f"{before}{endpoint.about}".splitlines(), *([f"Needs the scope {' and '.join(scopes)}."] if scopes else [])]
    lines += ["@deprecated"] if endpoint.operation.node.get("deprecated") is True else []
    return "  /**\n" + "".join(f"   * {_quiet(line)}".rstrip() + "\n" for line in lines) + "   */\n"


def _quiet(text: str) -> str:
    """Nothing in a contract's words ends a comment."""
    return text.replace("*/", "* /")
