"""The same request in three languages, ready to be pasted; the token comes from the environment, never from the page."""

import json

from governance.catalog.reference import Request

VARIABLE = "TRIVIUM_TOKEN"


def snippets(request: Request, base: str) -> dict[str, str]:
    """By language."""
    return {"curl": curl(request, base), "Python": python(request, base), "TypeScript": typescript(request, base)}


def curl(request: Request, base: str) -> str:
    parts = [f"curl -sS -X {request.method} {_shell(base + request.path)}"]
    if request.token:
        parts.append(f'-H "Authorization: Bearer ${VARIABLE}"')
    parts += [f"-H {_shell(f'{name}: {value}')}" for name, value in request.headers.items()]
    if request.body:
        parts.append(f"--data-raw {_shell(request.body)}")
    return " \\\n  ".join(parts)


def python(request: Request, base: str) -> str:
    headers = [f'        "Authorization": f"Bearer {{os.environ[\'{VARIABLE}\']}}",'] if request.token else []
    headers += [f"        {_quoted(name)}: {_quoted(value)}," for name, value in request.headers.items()]
    lines = ["import os", "", "import httpx", "", "answer = httpx.request(", f"    {_quoted(request.method)},"]
    lines += [f"    {_quoted(base + request.path)},", "    headers={", *headers, "    },"]
    if request.body:
        lines.append(f"    content={_quoted(request.body)},")
    return "\n".join([*lines, ")", "print(answer.status_code, answer.text)"])


def typescript(request: Request, base: str) -> str:
    headers = [f"    Authorization: `Bearer ${{process.env.{VARIABLE}}}`,"] if request.token else []
    headers += [f"    {_quoted(name)}: {_quoted(value)}," for name, value in request.headers.items()]
    lines = [f"const answer = await fetch({_quoted(base + request.path)}, {{", f"  method: {_quoted(request.method)},"]
    lines += ["  headers: {", *headers, "  },"]
    if request.body:
        lines.append(f"  body: {_quoted(request.body)},")
    return "\n".join([*lines, "});", "console.log(answer.status, await answer.text());"])


def _shell(text: str) -> str:
    """In single quotes, where nothing means anything but a single quote."""
    return "'" + text.replace("'", "'\\''") + "'"


def _quoted(text: str) -> str:
    """A string of JSON is one of Python and of TypeScript too."""
    return json.dumps(text, ensure_ascii=True)
